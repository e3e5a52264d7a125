import { beforeEach, describe, expect, it, vi } from "vitest";
import { Cursor } from "../src/cursor";
import { modelId } from "../src/types";
import { FakeManager, FakeModel } from "./fakes";

let shared: FakeModel;
let view: FakeModel;

beforeEach(() => {
  shared = new FakeModel({ pixel: [4, 5], lag: 2, time: null, brush: null });
  view = new FakeModel({ cursor: "IPY_MODEL_c" }, new FakeManager({ c: shared }));
});

describe("the cursor of a view", () => {
  it("has nothing selected until it is found, and keeps quiet", () => {
    const cursor = new Cursor();
    cursor.set({ lag: 3 });
    expect(cursor.get("pixel")).toEqual([0, 0]);
    expect(shared.get("lag")).toBe(2);
  });

  it("tells the view when it is found and whenever another view selects", async () => {
    const cursor = new Cursor();
    const changed = vi.fn();
    await cursor.attach(view, changed, new AbortController().signal);
    expect(cursor.get("pixel")).toEqual([4, 5]);
    shared.set("lag", 7);
    expect(changed).toHaveBeenCalledTimes(2);
    expect(cursor.get("lag")).toBe(7);
  });

  it("frees a time that the pointer of an earlier page has left marked", async () => {
    shared.set("time", 0.5);
    await new Cursor().attach(view, () => undefined, new AbortController().signal);
    expect(shared.get("time")).toBeNull();
    expect(shared.saves).toBe(1);
    await new Cursor().attach(view, () => undefined, new AbortController().signal);
    expect(shared.saves).toBe(1);
  });

  it("sets several things in one message to the kernel", async () => {
    const cursor = new Cursor();
    await cursor.attach(view, () => undefined, new AbortController().signal);
    cursor.set({ pixel: [1, 1], anchor: [1, 1] });
    expect(shared.saves).toBe(1);
  });

  it("lets go when the view does", async () => {
    const cursor = new Cursor();
    const changed = vi.fn();
    const controller = new AbortController();
    await cursor.attach(view, changed, controller.signal);
    controller.abort();
    shared.set("lag", 9);
    expect(changed).toHaveBeenCalledTimes(1);
  });
});

it("reads the reference to a widget", () => {
  expect(modelId("IPY_MODEL_abc")).toBe("abc");
  expect([modelId("abc"), modelId(null)]).toEqual([null, null]);
});
