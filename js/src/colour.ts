// Colour maps as tables of 256 colours, packed the way ImageData keeps them (little endian: alpha, blue, green, red).
import type { Rgb } from "./theme";

export type Table = Uint32Array;

const linear = (v: number): number => (v <= 10.31475 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const encoded = (v: number): number => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);

/** Oklab, in which equal steps look equal (Ottosson 2020). */
function oklab([red, green, blue]: Rgb): [number, number, number] {
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromOklab([lightness, a, b]: [number, number, number]): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

export function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const [start, end] = [oklab(from), oklab(to)];
  const at = (i: 0 | 1 | 2): number => start[i] + (end[i] - start[i]) * share;
  return fromOklab([at(0), at(1), at(2)]);
}

export function pack(colour: Rgb, alpha = 255): number {
  const [red, green, blue] = colour.map((v) => Math.max(0, Math.min(255, Math.round(v)))) as [number, number, number];
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Negative - neutral - positive. The neutral is the card's background, so zero vanishes into it. */
export function divergingTable(negative: Rgb, neutral: Rgb, positive: Rgb): Table {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const value = (i - 127.5) / 127.5;
    return pack(mix(neutral, value < 0 ? negative : positive, Math.abs(value)));
  });
}

/** Black to white, in equal steps of the screen's values. */
export function greyTable(): Table {
  return Uint32Array.from({ length: 256 }, (_, i) => pack([i, i, i]));
}

/** Colour `values` between `lo` and `hi` into `pixels`; what is not a number stays transparent. */
export function paintValues(pixels: Uint32Array, values: ArrayLike<number>, lo: number, hi: number, table: Table): void {
  const scale = hi > lo ? 255 / (hi - lo) : 0;
  const offset = hi > lo ? 0 : 127.5;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const index = Math.round((value - lo) * scale + offset);
    pixels[i] = Number.isNaN(value) ? 0 : (table[index < 0 ? 0 : index > 255 ? 255 : index] as number);
  }
}
