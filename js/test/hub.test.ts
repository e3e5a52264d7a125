import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HubClient } from "../src/hub";
import type { News } from "../src/types";
import { Widgets } from "../src/widgets";
import { dataView, FakeManager, FakeModel } from "./fakes";

const part = (to: string, kind: "live" | "set", fields = {}) => ({
  to,
  kind,
  fields,
  arrays: [{ name: "y", dtype: "float64", shape: [2], append: false, buffer: 0 }],
});
const buffers = [dataView(new Float64Array([1, 2]).buffer)];
const tick = (seq: number, parts = [part("view", "live")]) => ({ type: "tick" as const, seq, parts });
const probe = (seq: number) => ({ type: "probe" as const, seq, parts: [] });

let view: FakeModel;
let hub: FakeModel;
let client: HubClient;
let paint: () => Promise<void>;

beforeEach(() => {
  view = new FakeModel();
  hub = new FakeModel({}, new FakeManager({ view }));
  client = new HubClient(new Widgets(hub.widget_manager), (content) => hub.send(content));
  const frames: (() => void)[] = [];
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => frames.push(callback));
  paint = async () => {
    frames.splice(0).forEach((callback) => callback());
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
});
afterEach(() => vi.unstubAllGlobals());

describe("a tick", () => {
  it("reaches an own view as an event, decoded", async () => {
    const got: News[] = [];
    view.on("convis:live", ((news: News) => got.push(news)) as never);
    await client.receive(tick(1, [part("view", "live", { now: 2 })]), buffers);
    expect(got[0]?.fields).toEqual({ now: 2 });
    expect([...(got[0]?.arrays["y"]?.data ?? [])]).toEqual([1, 2]);
  });

  it("sets attributes of a foreign widget without telling the kernel", async () => {
    await client.receive(tick(1, [part("view", "set", { visible: true })]), buffers);
    expect(view.get("y")).toEqual(new Float64Array([1, 2]));
    expect(view.get("visible")).toBe(true);
    expect(view.saves).toBe(0);
  });

  it("is acknowledged only when it has been painted", async () => {
    await client.receive(tick(1), buffers);
    expect(hub.sent).toEqual([]);
    await paint();
    expect(hub.sent).toEqual([{ type: "ack", seq: 1, paint_ms: expect.any(Number) }]);
  });

  it("that comes twice is handed on once: spikes must not double", async () => {
    let times = 0;
    view.on("convis:live", (() => times++) as never);
    await client.receive(tick(1), buffers);
    await client.receive(tick(1), buffers);
    expect(times).toBe(1);
  });

  it("waits for a foreign widget that the page has not made yet, and gives it the newest of every attribute", async () => {
    vi.useFakeTimers();
    const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const models: Record<string, FakeModel> = {};
    client = new HubClient(new Widgets(new FakeManager(models)), (content) => hub.send(content));
    await client.receive(tick(1, [part("late", "set", { min: 1, max: 2 })]), buffers);
    await client.receive(tick(2, [part("late", "set", { max: 3 }), part("never", "set")]), buffers);
    await vi.advanceTimersByTimeAsync(1000);
    const late = (models["late"] = new FakeModel());
    const set = vi.spyOn(late, "set_state");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(set).toHaveBeenCalledOnce();
    expect([late.get("min"), late.get("max")]).toEqual([1, 3]);
    expect(complaint).toHaveBeenCalledOnce(); // of the one that never came
    await client.receive(tick(3, [part("late", "set", { max: 4 })]), buffers);
    expect([late.get("min"), late.get("max")]).toEqual([1, 4]);
    complaint.mockRestore();
    vi.useRealTimers();
  });

  it("reaches the other views when one is missing", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
    let times = 0;
    view.on("convis:live", (() => times++) as never);
    await client.receive(tick(1, [part("gone", "live"), part("view", "live")]), buffers);
    expect(times).toBe(1);
    expect(complaint).toHaveBeenCalledOnce();
    complaint.mockRestore();
  });
});

describe("a probe", () => {
  it("for a tick that never came asks for it", async () => {
    await client.receive(probe(4), []);
    expect(hub.sent).toEqual([{ type: "missing", seq: 4, received: -1 }]);
  });

  it("stays unanswered while a hidden page cannot paint", async () => {
    await client.receive(tick(4), buffers);
    await client.receive(probe(4), []);
    expect(hub.sent).toEqual([]);
  });

  it("is answered when the acknowledgement was lost", async () => {
    await client.receive(tick(4), buffers);
    await paint();
    await client.receive(probe(4), []);
    expect(hub.sent.at(-1)).toEqual({ type: "ack", seq: 4 });
  });
});
