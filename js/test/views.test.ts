// @vitest-environment happy-dom
// The canvas views up to their pixels: what they select, say and remember. Pixels are looked at in a real browser.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import frames from "../src/frames";
import mosaic, { lagOf, lagText, largest } from "../src/mosaic";
import raster from "../src/raster";
import { FakeManager, FakeModel, frame, show } from "./fakes";

const WIDTH = 200;
const HEIGHT = 100;
let cursor: FakeModel;
let observers: ((entries: object[]) => void)[];

beforeEach(() => {
  cursor = new FakeModel({ pixel: [2, 3], anchor: [2, 3], lag: 1, time: null, brush: null });
  observers = [];
  vi.stubGlobal("ResizeObserver", class {
    constructor(callback: (entries: object[]) => void) {
      observers.push(callback);
    }
    observe(): void {}
    disconnect(): void {}
  });
  const nothing = (): void => undefined;
  const context = new Proxy({}, { get: (_, name) => (name === "getImageData" ? () => ({ data: [0, 0, 0, 0] }) : nothing), set: () => true });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation((() => context) as never);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

async function display(module: Parameters<typeof show>[0], traits: object, news: object): Promise<{ canvas: HTMLCanvasElement; el: HTMLElement; model: FakeModel }> {
  const model = new FakeModel({ title: "View", cursor: "IPY_MODEL_c", ...traits }, new FakeManager({ c: cursor }));
  const { el } = await show(module, model);
  observers.forEach((callback) => callback([{ contentRect: { width: WIDTH, height: HEIGHT } }]));
  model.trigger("convis:live", news);
  await frame();
  return { canvas: el.querySelector(".convis-canvas") as HTMLCanvasElement, el, model };
}

function point(canvas: Element, type: string, x: number, y: number, more: object = {}): void {
  canvas.dispatchEvent(Object.assign(new Event(type), { clientX: x, clientY: y, buttons: 0, button: 0, pointerId: 1, ...more }));
}

const press = (canvas: Element, key: string, shiftKey = false): boolean => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey }));
const array = (data: ArrayLike<number>, shape: number[]): object => ({ data, shape, append: false });

describe("the frame view", () => {
  const traits = { value_range: [0, 1], label: "luminance", pixel_per_degree: 2, footprint: [3, 3] };
  const news = { fields: {}, arrays: { frame: array(Float32Array.from({ length: 10 * 20 }, (_, i) => i / 200), [10, 20]) } };

  it("says its size in pixels and degrees, and the selected value", async () => {
    const { canvas, el } = await display(frames, traits, news);
    expect(el.querySelector(".convis-info")?.textContent).toBe("10 \u00d7 20 px, 5 \u00d7 10 deg");
    expect(canvas.getAttribute("role")).toBe("img");
    expect(el.querySelector(".convis-colourbar canvas")?.getAttribute("aria-hidden")).toBe("true"); // its labels say it
    expect(canvas.getAttribute("aria-label")).toContain("Selected pixel x 2, y 3: 0.215");
  });

  it("says when a frame was seen that is not the newest", async () => {
    const { canvas, el, model } = await display(frames, traits, { ...news, fields: { time: 1.24, past: true } });
    expect(el.querySelector(".convis-info")?.textContent).toBe("seen at 1.24 s");
    expect(canvas.getAttribute("aria-label")).toMatch(/^View, seen at 1.24 s, 10 by 20/);
    model.trigger("convis:live", { ...news, fields: { time: 2, past: false } });
    await frame();
    expect(el.querySelector(".convis-info")?.textContent).toContain("10 \u00d7 20 px");
  });

  it("selects the clicked pixel, x being the row, and centres the filter there", async () => {
    const { canvas } = await display(frames, traits, news);
    point(canvas, "pointerdown", 75, 45);
    expect([cursor.get("pixel"), cursor.get("anchor")]).toEqual([[4, 7], [4, 7]]);
    expect(cursor.saves).toBe(1);
  });

  it("shows index and value under the pointer, and hides them when it leaves", async () => {
    const { canvas, el } = await display(frames, traits, news);
    const tip = el.querySelector(".convis-tip") as HTMLElement;
    point(canvas, "pointermove", 75, 45);
    expect(tip.textContent).toBe("(x 4, y 7) 0.435");
    point(canvas, "pointerleave", 0, 0);
    expect(tip.hidden).toBe(true);
  });

  it("moves by arrow keys and stops at the edge", async () => {
    const { canvas } = await display(frames, traits, news);
    press(canvas, "ArrowDown");
    press(canvas, "ArrowRight");
    expect(cursor.get("pixel")).toEqual([3, 4]);
    press(canvas, "ArrowUp", true);
    expect(cursor.get("pixel")).toEqual([0, 4]);
  });
});

describe("the mosaic", () => {
  const traits = { dt: 0.001, pixel_per_degree: 10, unit: "" };
  // two lags of 3 by 3 pixels lie side by side
  const news = { fields: { limit: null }, arrays: { weights: array(Float32Array.from({ length: 18 }, (_, i) => (i === 9 ? -0.5 : 0.01 * i)), [2, 3, 3]) } };
  const labels = (el: HTMLElement): (string | null)[] => [...el.querySelectorAll(".convis-bar-labels span")].map((span) => span.textContent);

  it("has limits symmetric about zero", async () => {
    expect(labels((await display(mosaic, traits, news)).el)).toEqual(["\u22120.5", "0", "+0.5"]);
  });

  it("takes limits that are given, with the unit", async () => {
    const { el } = await display(mosaic, { ...traits, unit: "Hz" }, { ...news, fields: { limit: 2 } });
    expect(labels(el)).toEqual(["\u22122", "0", "+2 Hz"]);
  });

  it("selects lag and pixel by a click into a tile", async () => {
    const { canvas } = await display(mosaic, traits, news);
    point(canvas, "pointerdown", 110, 10); // first pixel of the second tile
    expect(cursor.get("lag")).toBe(1);
    expect(cursor.get("pixel")).toEqual([1, 2]);
    expect(cursor.get("anchor")).toEqual([2, 3]);
  });

  it("shows weight, lag and offset under the pointer", async () => {
    const { canvas, el } = await display(mosaic, traits, news);
    point(canvas, "pointermove", 110, 10);
    expect(el.querySelector(".convis-tip")?.textContent).toBe("\u22120.5 at 1 ms, (\u22120.1, \u22120.1) deg");
  });

  it("moves the lag by arrow keys, between first and last", async () => {
    const { canvas } = await display(mosaic, traits, news);
    press(canvas, "ArrowRight");
    expect(cursor.get("lag")).toBe(1);
    press(canvas, "ArrowLeft");
    expect(cursor.get("lag")).toBe(0);
  });

  it("says how long ago the time under the pointer was, and through which lag it is seen", async () => {
    const { el, model } = await display(mosaic, traits, { ...news, fields: { ago: 0.0012 } });
    const info = (): string | null | undefined => el.querySelector(".convis-info")?.textContent;
    expect(info()).toBe("0.001 s ago: lag 1 ms");
    model.trigger("convis:live", { fields: { ago: 0.25 }, arrays: {} });
    await frame();
    expect(info()).toBe("0.250 s ago: no longer in the filter");
    for (const ago of [-0.1, null]) {
      model.trigger("convis:live", { fields: { ago }, arrays: {} });
      await frame();
      expect(info()).toBe(lagText(2, 0.001));
    }
    expect([lagOf(0.0149, 4, 0.005), lagOf(0.02, 4, 0.005), lagOf(-0.01, 4, 0.005)]).toEqual([3, null, null]);
  });

  it("describes its lags", () => {
    expect(lagText(40, 0.001)).toBe("lag 0\u201339 ms, one frame a millisecond");
    expect(lagText(20, 0.005)).toBe("lag 0\u201395 ms, one frame every 5 ms");
  });

  it("has a limit even for a filter of nothing, and for one that has gone astray", () => {
    expect(largest([0, 0])).toBe(1);
    expect(largest([0.25, -3, NaN, Infinity])).toBe(3);
  });
});

describe("the raster", () => {
  const traits = { populations: ["ON", "OFF"], n_cells: [2500, 2500], cell_shape: [50, 50], max_spikes: 1 << 16 };
  const spikes = { time: array([1, 2], [2]), cell: array([0, 2499], [2]), population: array([0, 1], [2]) };
  const news = { fields: { now: 2, window: [0, 10] }, arrays: spikes };
  const x = (time: number): number => 52 + (time / 10) * (WIDTH - 52 - 14);

  it("counts cells and spikes", async () => {
    const { el } = await display(raster, traits, news);
    expect(el.querySelector(".convis-info")?.textContent).toBe("ONOFF2 \u00d7 2\u2009500 cells, 2 spikes; drag to select");
  });

  it("names the spike under the pointer, its cell and pixel", async () => {
    const { canvas, el } = await display(raster, traits, news);
    point(canvas, "pointermove", x(2), HEIGHT - 32);
    await frame();
    expect(el.querySelector(".convis-tip")?.textContent).toBe("OFF cell 2\u2009499 (x 49, y 49), 2.000 s");
  });

  it("hovering sets the time, leaving frees it", async () => {
    const { canvas } = await display(raster, traits, news);
    point(canvas, "pointermove", x(7), 30);
    await frame();
    expect(cursor.get("time")).toBeCloseTo(7);
    point(canvas, "pointerleave", 0, 0);
    await frame();
    expect(cursor.get("time")).toBeNull();
  });

  it("dragging brushes, in either direction; Escape clears", async () => {
    const { canvas } = await display(raster, traits, news);
    Object.assign(canvas, { setPointerCapture: () => undefined });
    point(canvas, "pointerdown", x(6), 30);
    point(canvas, "pointermove", x(4), 30);
    await frame();
    const [start, end] = cursor.get("brush") as [number, number];
    expect([start, end]).toEqual([expect.closeTo(4), expect.closeTo(6)]);
    press(canvas, "Escape");
    expect(cursor.get("brush")).toBeNull();
  });

  it("arrow keys move the time, with shift they select", async () => {
    const { canvas } = await display(raster, traits, news);
    press(canvas, "ArrowRight");
    expect(cursor.get("time")).toBeCloseTo(2.1);
    press(canvas, "ArrowRight", true);
    press(canvas, "ArrowRight", true);
    expect(cursor.get("brush")).toEqual([expect.closeTo(2.1), expect.closeTo(2.3)]);
  });

  it("Escape frees the time that keys have set", async () => {
    const { canvas } = await display(raster, traits, news);
    press(canvas, "ArrowRight");
    press(canvas, "Escape");
    expect(cursor.get("time")).toBeNull();
  });

  it("says what was dropped", async () => {
    const { el } = await display(raster, traits, { fields: { dropped: 1200 }, arrays: spikes });
    expect(el.querySelector(".convis-info")?.textContent).toContain("1\u2009202 spikes, the oldest 1\u2009200 not shown");
  });
});
