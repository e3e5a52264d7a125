// Numbers for people.

const NARROW = "\u2009";

/** 31204 -> "31 204": thin spaces, which no language reads as a decimal sign. */
export function grouped(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, NARROW);
}

/** About three significant digits, without an exponent where that stays short. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "not a number";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(digits - 1).replace("e+", "e");
  if (size >= 10 ** digits) return Math.round(value).toString();
  return Number(value.toPrecision(digits)).toString();
}

/** With a plus sign, for signed scales. */
export function signed(value: number): string {
  return value > 0 ? `+${short(value)}` : short(value).replace("-", "\u2212");
}

/** A value for an input field: all the digits that matter, a decimal where there is room to see one. */
export function editable(value: number): string {
  const text = short(value, 4);
  const fixed = Math.abs(value) < 100 && Math.abs(value) >= 0.001 ? value.toFixed(Math.abs(value) < 1 ? 3 : Math.abs(value) < 10 ? 2 : 1) : text;
  return Number(fixed) === Number(text) ? fixed : text;
}

/** Round steps that divide `[lo, hi]` into at most `most` parts. */
export function ticks(lo: number, hi: number, most: number): number[] {
  if (!(hi > lo) || most < 1) return [lo];
  const raw = (hi - lo) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999999) ?? 10) * power;
  const first = Math.ceil(lo / step - 1e-9);
  const count = Math.floor(hi / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
