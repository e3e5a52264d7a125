import { describe, expect, it } from "vitest";
import { SpikeStore } from "../src/spikes";
import type { NumericArray } from "../src/types";

const MAX = 1 << 16;

function add(store: SpikeStore, n: number, max = MAX): void {
  const serials = Array.from({ length: n }, (_, i) => store.total + i);
  store.append(serials, serials, serials.map((s) => s % 2), max);
}

const kept = (store: SpikeStore): number[] =>
  Array.from({ length: store.total - store.first }, (_, i) => store.cell[(store.first + i) & store.mask] as number);

describe("SpikeStore", () => {
  it("keeps every spike while it grows", () => {
    const store = new SpikeStore();
    for (let i = 0; i < 50; i++) add(store, 1000);
    expect(store.total).toBe(50000);
    expect(store.dropped).toBe(0);
    expect(kept(store)).toEqual(Array.from({ length: 50000 }, (_, i) => i));
  });

  it("forgets the oldest beyond its limit, and says how many", () => {
    const store = new SpikeStore();
    for (let i = 0; i < 100; i++) add(store, 1000);
    expect(store.capacity).toBe(MAX);
    expect(store.dropped).toBe(100000 - MAX);
    expect(kept(store)[0]).toBe(100000 - MAX);
    expect(kept(store).at(-1)).toBe(99999);
  });

  it("takes the newest of a batch that is larger than all its room", () => {
    const store = new SpikeStore();
    add(store, 3 * MAX);
    expect(kept(store)).toHaveLength(MAX);
    expect(kept(store).at(-1)).toBe(3 * MAX - 1);
  });

  it("clears on reset before it takes in what came with it", () => {
    const store = new SpikeStore();
    add(store, 10);
    const { epoch } = store;
    const one = (data: Float32Array | Uint32Array | Uint8Array): NumericArray => ({ data, shape: [1], append: true });
    const arrays = { time: one(new Float32Array([5])), cell: one(new Uint32Array([7])), population: one(new Uint8Array([1])) };
    store.receive({ fields: { reset: true, dropped: 3 }, arrays }, MAX);
    expect(kept(store)).toEqual([7]);
    expect(store.missed).toBe(3);
    expect(store.epoch).not.toBe(epoch);
  });

  it("adds up what the page missed", () => {
    const store = new SpikeStore();
    store.receive({ fields: { dropped: 3 }, arrays: {} }, MAX);
    store.receive({ fields: { dropped: 4 }, arrays: {} }, MAX);
    expect(store.dropped).toBe(7);
  });
});
