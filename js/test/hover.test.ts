// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { followPointer, valueAt, type Hover } from "../src/hover";
import { FakeModel, frame } from "./fakes";

describe("valueAt", () => {
  const area = { left: 100, width: 200 };
  it("is the share of the width between the ends", () => expect(valueAt(150, area, [2, 6])).toBe(3));
  it("has both ends", () => expect([valueAt(100, area, [2, 6]), valueAt(300, area, [2, 6])]).toEqual([2, 6]));
  it("is nothing beside the plot", () => expect([valueAt(99, area, [2, 6]), valueAt(301, area, [2, 6])]).toEqual([null, null]));
});

describe("followPointer", () => {
  it("tells the value while the pointer is over the plot, and once that it has left", async () => {
    const plot = document.createElement("div");
    plot.className = "plot-1";
    const area = document.createElement("div");
    area.className = "plotarea_background";
    area.getBoundingClientRect = () => ({ left: 10, width: 100 }) as DOMRect;
    plot.append(area);
    document.body.append(plot);
    const models: Record<string, FakeModel> = { x: new FakeModel({ min: 0, max: 10 }), c: new FakeModel({ time: null }) };
    const hover: Hover = { name: "plot-1", scale: "x", target: "c", to: "time" };
    const controller = new AbortController();
    followPointer(new FakeModel({ hovers: [hover] }), async (id) => models[id] as FakeModel, controller.signal);
    const move = async (target: Element, clientX: number): Promise<unknown> => {
      target.dispatchEvent(new PointerEvent("pointermove", { clientX, bubbles: true }));
      await frame();
      return models["c"]?.get("time");
    };

    expect(await move(area, 60)).toBe(5);
    expect(await move(plot, 85)).toBe(7.5);
    expect(await move(document.body, 85)).toBeNull();
    expect(models["c"]?.saves).toBe(3);
    expect(await move(document.body, 20)).toBeNull();
    expect(models["c"]?.saves).toBe(3);

    expect(await move(area, 60)).toBe(5);
    document.documentElement.dispatchEvent(new PointerEvent("pointerleave"));
    await frame();
    expect(models["c"]?.get("time")).toBeNull(); // no move tells that the pointer has left the window

    controller.abort();
    await move(area, 60);
    expect(models["c"]?.get("time")).toBeNull();
  });
});
