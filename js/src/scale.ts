// From a parameter's value to a slider's position and back.

export interface Range {
  lo: number;
  hi: number;
  scale: "linear" | "log";
  step?: number;
}

/** Position of a value on a slider from 0 to 1; what lies outside stands at the end. */
export function toPosition(value: number, { lo, hi, scale }: Range): number {
  const share = scale === "log" ? Math.log(value / lo) / Math.log(hi / lo) : (value - lo) / (hi - lo);
  return Number.isFinite(share) ? Math.max(0, Math.min(1, share)) : 0;
}

/** The value at a slider's position: a multiple of the step, or else three significant digits. */
export function toValue(position: number, { lo, hi, scale, step }: Range): number {
  if (position <= 0) return lo;
  if (position >= 1) return hi;
  const value = scale === "log" ? lo * (hi / lo) ** position : lo + (hi - lo) * position;
  if (step !== undefined && step > 0) return Number((Math.round(value / step) * step).toPrecision(12));
  return Number(value.toPrecision(3));
}

/** What a person typed, as a number; a decimal comma is understood. Null when it is none. */
export function parseNumber(text: string): number | null {
  const trimmed = text.trim().replace(",", ".").replace("\u2212", "-");
  const value = Number(trimmed);
  return trimmed === "" || !Number.isFinite(value) ? null : value;
}
