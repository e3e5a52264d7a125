// Spikes as pixels. What has been painted stays; only new spikes are painted, until the view itself changes.
import { Bitmap } from "./canvas";
import { pack } from "./colour";
import { clamp } from "./geometry";
import type { SpikeStore } from "./spikes";
import type { Rgb } from "./theme";

/** Rows of one population, in device pixels. */
export interface Band {
  top: number;
  height: number;
  cells: number;
  colour: Rgb;
}

export class RasterLayer {
  readonly bitmap = new Bitmap();
  private drawn = 0;
  private key = "";

  /**
   * Paint what is new; everything when size, window, bands or the spikes' past have changed.
   * `dot` is the size of a spike in pixels where each cell has that many rows; a single pixel where it has not.
   */
  update(store: SpikeStore, width: number, height: number, window: [number, number], bands: Band[], dot: number): void {
    const key = JSON.stringify([store.epoch, width, height, window, bands, dot]);
    if (key !== this.key) {
      this.key = key;
      if (!this.bitmap.fit(width, height)) this.bitmap.pixels.fill(0);
      this.drawn = store.first;
      this.paint(store, window, bands, dot);
      this.bitmap.flush();
    } else if (this.drawn < store.total) {
      this.drawn = Math.max(this.drawn, store.first);
      const [from, to] = this.paint(store, window, bands, dot);
      this.bitmap.flush(from, to);
    }
  }

  /** Stamp the spikes not yet drawn; returns the range of columns touched. */
  private paint(store: SpikeStore, [t0, t1]: [number, number], bands: Band[], dot: number): [number, number] {
    const { pixels, canvas } = this.bitmap;
    const { width, height } = canvas;
    const perSecond = width / (t1 - t0);
    const inks = bands.map(({ colour }) => pack(colour, 0));
    // where several cells share a pixel, darkness tells how many of them fired
    const covers = bands.map((band) => Math.max(0.35, Math.min(1, band.height / Math.max(1, band.cells))));
    const wide = bands.map((band) => band.height < 0.8 * dot * band.cells ? 1 : dot);
    const rise = bands.map((band, i) => Math.max(wide[i] as number, Math.min(3 * dot, Math.floor(0.8 * (band.height / Math.max(1, band.cells))))));
    let [from, to] = [width, 0];
    for (let serial = this.drawn; serial < store.total; serial++) {
      const at = serial & store.mask;
      const left = Math.floor(((store.time[at] as number) - t0) * perSecond);
      if (left < 0 || left >= width) continue;
      const p = store.population[at] as number;
      const band = bands[p];
      if (band === undefined) continue;
      const middle = band.top + (((store.cell[at] as number) + 0.5) / band.cells) * band.height;
      const top = Math.floor(clamp(middle - (rise[p] as number) / 2, band.top, band.top + band.height - (rise[p] as number)));
      const [ink, cover] = [inks[p] as number, covers[p] as number];
      const right = Math.min(width, left + (wide[p] as number));
      const bottom = Math.min(height, top + (rise[p] as number));
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const alpha = (pixels[y * width + x] as number) >>> 24;
          pixels[y * width + x] = (ink | ((alpha + (255 - alpha) * cover) << 24)) >>> 0;
        }
      }
      if (left < from) from = left;
      if (right > to) to = right;
    }
    this.drawn = store.total;
    return [from, to];
  }
}

/** The spike nearest to a point of the time-cell plane, within `reach` pixels; its place in the store, or null. */
export function nearest(
  store: SpikeStore,
  place: (time: number, cell: number, population: number) => [number, number],
  [px, py]: [number, number],
  reach: number,
  [t0, t1]: [number, number],
): number | null {
  let best: number | null = null;
  let bestDistance = reach * reach;
  for (let serial = store.total - 1; serial >= store.first; serial--) {
    const at = serial & store.mask;
    const time = store.time[at] as number;
    if (time < t0 || time > t1) continue;
    const [x, y] = place(time, store.cell[at] as number, store.population[at] as number);
    const distance = (x - px) ** 2 + (y - py) ** 2;
    if (distance < bestDistance) [best, bestDistance] = [at, distance];
  }
  return best;
}
