import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Widgets } from "../src/widgets";
import { FakeManager, FakeModel } from "./fakes";

let models: Record<string, FakeModel>;
let widgets: Widgets;

beforeEach(() => {
  vi.useFakeTimers();
  models = {};
  widgets = new Widgets(new FakeManager(models));
});
afterEach(() => void vi.useRealTimers());

it("looks again for a widget that was not there at first", async () => {
  await expect(widgets.find("late")).rejects.toThrow("late");
  models["late"] = new FakeModel();
  await expect(widgets.find("late")).resolves.toBe(models["late"]);
});

it("looks anew for a widget that has been destroyed", async () => {
  const first = (models["one"] = new FakeModel());
  await widgets.find("one");
  first.trigger("destroy");
  delete models["one"];
  await expect(widgets.find("one")).rejects.toThrow("one");
});

it("waits for a widget that is made later", async () => {
  const found = vi.fn();
  void widgets.waitFor("late").then(found);
  await vi.advanceTimersByTimeAsync(3000);
  expect(found).not.toHaveBeenCalled();
  models["late"] = new FakeModel();
  await vi.advanceTimersByTimeAsync(300);
  expect(found).toHaveBeenCalledExactlyOnceWith(models["late"]);
});

it("gives up on a widget that never comes, saying which", async () => {
  const outcome = vi.fn();
  widgets.waitFor("never").catch((error: Error) => outcome(error.message));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(outcome).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("never"));
});
