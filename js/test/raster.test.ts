// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import "./fakes";
import { bandsOf, timeToX, xToTime } from "../src/raster-axes";
import { nearest, RasterLayer, type Band } from "../src/raster-layer";
import { SpikeStore } from "../src/spikes";

const MAX = 1 << 16;
const bands: Band[] = [
  { top: 0, height: 10, cells: 10, colour: [200, 100, 0] },
  { top: 10, height: 10, cells: 10, colour: [0, 100, 200] },
];
const window: [number, number] = [0, 10];

const inked = (layer: RasterLayer): [number, number][] =>
  [...layer.bitmap.pixels.entries()].filter(([, pixel]) => pixel !== 0).map(([i]) => [i % 100, Math.floor(i / 100)]);

function painted(spikes: [number, number, number][]): { store: SpikeStore; layer: RasterLayer } {
  const store = new SpikeStore();
  for (const [time, cell, population] of spikes) store.append([time], [cell], [population], MAX);
  const layer = new RasterLayer();
  layer.update(store, 100, 20, window, bands, 1);
  return { store, layer };
}

describe("RasterLayer", () => {
  it("puts a spike at its time and cell, populations one below the other", () => {
    expect(inked(painted([[5, 0, 0], [2.5, 9, 1]]).layer)).toEqual([[50, 0], [25, 19]]);
  });

  it("paints in the population's colour", () => {
    const { layer } = painted([[5, 0, 1]]);
    const pixel = layer.bitmap.pixels[10 * 100 + 50] ?? 0;
    expect([pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]).toEqual([0, 100, 200]);
  });

  it("keeps the first and the last of many cells inside their band", () => {
    const crowd: Band[] = [{ top: 10, height: 5, cells: 1000, colour: [0, 0, 0] }];
    const store = new SpikeStore();
    store.append([1, 2], [0, 999], [0, 0], MAX);
    const layer = new RasterLayer();
    layer.update(store, 100, 20, window, crowd, 1);
    expect(inked(layer)).toEqual([[10, 10], [20, 14]]);
  });

  it("leaves out what lies outside the window", () => expect(inked(painted([[-1, 0, 0], [10, 0, 0], [11, 3, 1]]).layer)).toEqual([]));

  it("adds new spikes to what is there", () => {
    const { store, layer } = painted([[5, 0, 0]]);
    store.append([6], [0], [0], MAX);
    layer.update(store, 100, 20, window, bands, 1);
    expect(inked(layer)).toEqual([[50, 0], [60, 0]]);
  });

  it("paints everything anew when the window moves", () => {
    const { store, layer } = painted([[5, 0, 0], [12, 1, 0]]);
    layer.update(store, 100, 20, [4, 14], bands, 1);
    expect(inked(layer)).toEqual([[10, 0], [80, 1]]);
  });

  it("is empty after a reset", () => {
    const { store, layer } = painted([[5, 0, 0]]);
    store.clear();
    layer.update(store, 100, 20, window, bands, 1);
    expect(inked(layer)).toEqual([]);
  });

  it("darkens where several cells share a pixel", () => {
    const crowd: Band[] = [{ top: 0, height: 10, cells: 100, colour: [0, 0, 0] }];
    const store = new SpikeStore();
    const layer = new RasterLayer();
    const alpha = (): number => (layer.bitmap.pixels[50] ?? 0) >>> 24;
    store.append([5], [0], [0], MAX);
    layer.update(store, 100, 10, window, crowd, 2);
    const once = alpha();
    store.append([5], [1], [0], MAX);
    layer.update(store, 100, 10, window, crowd, 2);
    expect(once).toBeGreaterThan(60);
    expect(alpha()).toBeGreaterThan(once);
  });
});

describe("nearest", () => {
  const { store } = painted([[5, 3, 0], [6, 3, 0]]);
  const place = (time: number, cell: number): [number, number] => [10 * time, cell];
  it("finds the closest spike within reach", () => expect(nearest(store, place, [58, 3], 6, window)).toBe(1));
  it("finds none beyond it", () => expect(nearest(store, place, [80, 3], 6, window)).toBeNull());
});

describe("axes", () => {
  it("share the height by the number of cells and leave a gap", () => {
    const [first, second] = bandsOf([100, 300], 204);
    expect(first).toEqual({ top: 0, height: 50 });
    expect(second).toEqual({ top: 54, height: 150 });
  });

  it("go from time to pixel and back", () => {
    const scene = { plot: { x: 52, y: 0, width: 300, height: 10 }, window };
    expect(timeToX(scene, 0)).toBe(52);
    expect(xToTime(scene, timeToX(scene, 7.25))).toBeCloseTo(7.25);
  });
});
