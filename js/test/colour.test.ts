import { describe, expect, it } from "vitest";
import { divergingTable, greyTable, mix, pack, paintValues } from "../src/colour";
import type { Rgb } from "../src/theme";

const unpacked = (pixel: number): number[] => [pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255, pixel >>> 24];
const blue: Rgb = [39, 96, 168];
const red: Rgb = [180, 41, 41];

describe.each([["light", [255, 255, 255]], ["dark", [33, 33, 33]]] as [string, Rgb][])("the diverging map, %s", (_, neutral) => {
  const table = divergingTable(blue, neutral, red);

  it("ends in the two colours", () => {
    expect(unpacked(table[0] ?? 0).slice(0, 3)).toEqual(blue);
    expect(unpacked(table[255] ?? 0).slice(0, 3)).toEqual(red);
  });

  it("vanishes into the card at zero", () => {
    for (const i of [127, 128]) {
      unpacked(table[i] ?? 0).slice(0, 3).forEach((v, channel) => expect(Math.abs(v - (neutral[channel] ?? 0))).toBeLessThanOrEqual(3));
    }
  });

  it("grows steadily away from it on both sides", () => {
    const distance = (i: number): number => unpacked(table[i] ?? 0).slice(0, 3).reduce((sum, v, c) => sum + Math.abs(v - (neutral[c] ?? 0)), 0);
    for (let i = 130; i < 255; i += 5) expect(distance(i + 1)).toBeGreaterThanOrEqual(distance(i));
    for (let i = 125; i > 0; i -= 5) expect(distance(i - 1)).toBeGreaterThanOrEqual(distance(i));
  });
});

it("mixing goes all the way", () => {
  expect(mix(blue, red, 0).map(Math.round)).toEqual([...blue]);
  expect(mix(blue, red, 1).map(Math.round)).toEqual([...red]);
});

describe("paintValues", () => {
  const grey = greyTable();
  const colour = (values: number[], lo: number, hi: number): number[][] => {
    const pixels = new Uint32Array(values.length);
    paintValues(pixels, values, lo, hi, grey);
    return [...pixels].map(unpacked);
  };

  it("maps the range to black and white, and holds what lies outside at its ends", () => {
    expect(colour([0, 1, -5, 7], 0, 1).map(([v]) => v)).toEqual([0, 255, 0, 255]);
  });
  it("leaves what is not a number transparent", () => expect(colour([NaN], 0, 1)).toEqual([[0, 0, 0, 0]]));
  it("shows a range of nothing as middle grey", () => expect(colour([3], 3, 3)[0]?.[0]).toBe(128));
});

it("packs in the order of ImageData", () => expect([...new Uint8Array(new Uint32Array([pack([1, 2, 3])]).buffer)]).toEqual([1, 2, 3, 255]));
