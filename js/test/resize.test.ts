// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { followResizes } from "../src/resize";
import { FakeModel } from "./fakes";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("asks every plot again after the window has changed, and no longer once the hub is gone", async () => {
  const relayout = vi.fn();
  const figure = Object.assign(new FakeModel(), { views: { one: Promise.resolve({ relayout }) } });
  const never = { get one(): Promise<never> { return Promise.reject(new Error("never built")); } };
  const gone = Object.assign(new FakeModel(), { views: never });
  const models: Record<string, FakeModel> = { figure, gone, plain: new FakeModel() };
  const hub = new FakeModel({ plots: ["figure", "gone", "plain", "missing"] });
  const find = async (id: string): Promise<FakeModel> => models[id] ?? Promise.reject(new Error("no such widget"));
  const controller = new AbortController();
  followResizes(hub, find, controller.signal);
  await vi.advanceTimersByTimeAsync(5000);
  expect(relayout).toHaveBeenCalledTimes(0);

  window.dispatchEvent(new Event("resize"));
  await vi.advanceTimersByTimeAsync(900);
  window.dispatchEvent(new Event("resize")); // while it is dragged, nothing is asked
  await vi.advanceTimersByTimeAsync(900);
  expect(relayout).toHaveBeenCalledTimes(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(relayout).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(5000);
  expect(relayout).toHaveBeenCalledTimes(2);

  window.dispatchEvent(new Event("resize"));
  controller.abort();
  window.dispatchEvent(new Event("resize"));
  await vi.advanceTimersByTimeAsync(5000);
  expect(relayout).toHaveBeenCalledTimes(2);
});
