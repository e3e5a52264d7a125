// A bounded store of spikes: typed rings that grow up to a limit and then forget the oldest.
import type { News } from "./types";

const FIRST_CAPACITY = 1 << 14;

export class SpikeStore {
  time = new Float32Array(FIRST_CAPACITY);
  cell = new Uint32Array(FIRST_CAPACITY);
  population = new Uint8Array(FIRST_CAPACITY);
  /** Spikes ever appended since the last clear; a spike with serial number s lies at `s & mask`. */
  total = 0;
  /** Serial number of the oldest spike still kept. */
  first = 0;
  /** Spikes that never came here, because the page could not keep up. */
  missed = 0;
  /** Changes when spikes are removed from the start: what was painted is no longer true. */
  epoch = 0;

  get capacity(): number {
    return this.time.length;
  }

  get mask(): number {
    return this.capacity - 1;
  }

  get dropped(): number {
    return this.first + this.missed;
  }

  clear(): void {
    this.total = this.first = this.missed = 0;
    this.epoch++;
  }

  append(time: ArrayLike<number>, cell: ArrayLike<number>, population: ArrayLike<number>, max: number): void {
    while (this.capacity < this.total - this.first + time.length && this.capacity < max) this.grow();
    const { mask } = this;
    for (let i = Math.max(0, time.length - this.capacity); i < time.length; i++) {
      const at = (this.total + i) & mask;
      this.time[at] = time[i] as number;
      this.cell[at] = cell[i] as number;
      this.population[at] = population[i] as number;
    }
    this.total += time.length;
    this.first = Math.max(this.first, this.total - this.capacity);
  }

  /** Take in the news for a raster. */
  receive({ fields, arrays }: News, max: number): void {
    if (fields["reset"] === true) this.clear();
    this.missed += Number(fields["dropped"] ?? 0);
    const { time, cell, population } = arrays;
    if (time !== undefined && cell !== undefined && population !== undefined) this.append(time.data, cell.data, population.data, max);
  }

  private grow(): void {
    const old = { time: this.time, cell: this.cell, population: this.population };
    const oldMask = this.mask;
    const capacity = 2 * this.capacity;
    this.time = new Float32Array(capacity);
    this.cell = new Uint32Array(capacity);
    this.population = new Uint8Array(capacity);
    for (let serial = this.first; serial < this.total; serial++) {
      const [from, to] = [serial & oldMask, serial & this.mask];
      this.time[to] = old.time[from] as number;
      this.cell[to] = old.cell[from] as number;
      this.population[to] = old.population[from] as number;
    }
  }
}
