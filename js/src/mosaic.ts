// A space-time filter as one tile for each lag.
import { Bitmap, Surface } from "./canvas";
import { divergingTable, paintValues, type Table } from "./colour";
import { ColourBar } from "./colourbar";
import { card, setText } from "./dom";
import { short, signed } from "./format";
import { cellAt, cellBox, centre, clamp, tile, tileAt, tileBox, type Box, type Tiling } from "./geometry";
import { palette, rgb, type Palette } from "./theme";
import { Tip } from "./tip";
import type { NumericArray } from "./types";
import { defineView, type Display } from "./view";

interface State {
  weights: NumericArray | null;
  limit: number | null;
  /** Seconds from the time under the pointer to the present of the run. */
  ago: number | null;
}

const EDGE = 2; // room for the outline of the selected tile
const STRIP = 16384; // canvases may not be much taller

/** Largest absolute weight; 1 for a filter of nothing but zeros, so that its scale still means something. */
export function largest(values: ArrayLike<number>): number {
  let limit = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > limit && size !== Infinity) limit = size;
  }
  return limit || 1;
}

/** "lag 0-39 ms, one frame a millisecond" */
export function lagText(lags: number, dt: number): string {
  const ms = dt * 1000;
  const every = Math.abs(ms - 1) < 1e-9 ? "one frame a millisecond" : `one frame every ${short(ms)} ms`;
  return `lag 0\u2013${short((lags - 1) * ms, 4)} ms, ${every}`;
}

/** Lag through which the present response sees what was so many seconds ago; null where the filter does not reach. */
export function lagOf(ago: number | null, lags: number, dt: number): number | null {
  const lag = ago === null ? -1 : Math.round(ago / dt);
  return lag >= 0 && lag < lags ? lag : null;
}

/** "0.120 s ago: lag 120 ms" */
export function agoText(ago: number, lags: number, dt: number): string {
  const lag = lagOf(ago, lags, dt);
  return `${ago.toFixed(3)} s ago: ${lag === null ? "no longer in the filter" : `lag ${short(lag * dt * 1000, 4)} ms`}`;
}

function display({ model, el, signal, state, cursor }: Display<State>): () => void {
  const { info, body } = card(el, model, "mosaic", signal);
  const surface = new Surface(body, paint, signal);
  const bar = new ColourBar(body);
  const tip = new Tip(body);
  const strips: Bitmap[] = [];
  let tiling: Tiling = tile(1, 1, 1, { x: 0, y: 0, width: 1, height: 1 }, 1);
  let pointer: [number, number] | null = null;
  let table: Table | null = null;
  let tableKey = "";

  const size = (): [number, number, number] => (state.weights?.shape ?? [1, 1, 1]) as [number, number, number];

  function colours(theme: Palette): Table {
    const key = theme.negative + theme.card + theme.positive;
    if (table === null || key !== tableKey) table = divergingTable(rgb(theme.negative), rgb(theme.card), rgb(theme.positive));
    tableKey = key;
    return table;
  }

  function paint(): void {
    if (state.weights === null || surface.width === 0) return;
    const [lags, kx, ky] = size();
    const theme = palette(el);
    const limit = state.limit ?? largest(state.weights.data);
    tiling = tile(lags, ky, kx, { x: EDGE, y: EDGE, width: surface.width - 2 * EDGE, height: surface.height - 2 * EDGE }, 2);
    const perStrip = Math.max(1, Math.floor(STRIP / kx));
    fill(state.weights, perStrip, limit, colours(theme));
    const context = surface.begin();
    context.imageSmoothingEnabled = false;
    context.strokeStyle = theme.grid;
    for (let lag = 0; lag < lags; lag++) {
      const box = tileBox(tiling, lag);
      const strip = strips[Math.floor(lag / perStrip)] as Bitmap;
      context.drawImage(strip.canvas, 0, (lag % perStrip) * kx, ky, kx, box.x, box.y, box.width, box.height);
      context.strokeRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
    }
    mark(context, theme.accent);
    const unit = String(model.get("unit"));
    bar.update(colours(theme), signed(-limit), "0", signed(limit) + (unit === "" ? "" : ` ${unit}`));
    tell();
  }

  function fill(weights: NumericArray, perStrip: number, limit: number, colourTable: Table): void {
    const [lags, kx, ky] = size();
    for (let first = 0, i = 0; first < lags; first += perStrip, i++) {
      const tiles = Math.min(perStrip, lags - first);
      const strip = (strips[i] ??= new Bitmap());
      strip.fit(ky, kx * tiles);
      paintValues(strip.pixels, weights.data.subarray(first * kx * ky, (first + tiles) * kx * ky), -limit, limit, colourTable);
      strip.flush();
    }
  }

  function mark(context: CanvasRenderingContext2D, accent: string): void {
    const [lags, kx, ky] = size();
    const lag = clamp(cursor.get("lag"), 0, lags - 1);
    const box = tileBox(tiling, lag);
    context.strokeStyle = accent;
    context.lineWidth = 2;
    context.strokeRect(box.x - 1, box.y - 1, box.width + 2, box.height + 2);
    const seen = lagOf(state.ago, lags, Number(model.get("dt")));
    if (seen !== null) dashed(context, tileBox(tiling, seen));
    const [x, y] = offset();
    if (x < 0 || y < 0 || x >= kx || y >= ky) return;
    const cell = cellBox(box, kx, ky, x, y);
    context.lineWidth = 1;
    context.strokeRect(cell.x, cell.y, cell.width, cell.height);
  }

  function dashed(context: CanvasRenderingContext2D, box: Box): void {
    context.setLineDash([4, 3]);
    context.strokeRect(box.x + 1, box.y + 1, box.width - 2, box.height - 2);
    context.setLineDash([]);
  }

  /** Kernel pixel that lies on the selected frame pixel. */
  function offset(): [number, number] {
    const [, kx, ky] = size();
    const [px, py] = cursor.get("pixel");
    const [ax, ay] = cursor.get("anchor");
    return [px - ax + centre(kx), py - ay + centre(ky)];
  }

  const weightAt = (lag: number, x: number, y: number): number => Number(state.weights?.data[(lag * size()[1] + x) * size()[2] + y] ?? NaN);

  function under(): [number, number, number] | null {
    if (pointer === null || state.weights === null) return null;
    const [lags, kx, ky] = size();
    const lag = tileAt(tiling, lags, ...pointer);
    const cell = lag === null ? null : cellAt(tileBox(tiling, lag), kx, ky, ...pointer);
    return lag === null || cell === null ? null : [lag, ...cell];
  }

  function tell(): void {
    const [lags, kx, ky] = size();
    const dt = Number(model.get("dt"));
    setText(info, state.ago !== null && state.ago >= 0 ? agoText(state.ago, lags, dt) : lagText(lags, dt));
    const lag = cursor.get("lag");
    const place = offset();
    surface.describe(
      `${String(model.get("title"))}, ${lags} lags of ${kx} by ${ky} pixels. Selected lag ${short(lag * dt * 1000)} ms: weight ` +
        `${short(weightAt(lag, ...place))}. Arrow keys move the lag.`,
    );
    const hit = under();
    if (hit === null || pointer === null) return tip.hide();
    const degrees = Number(model.get("pixel_per_degree"));
    const shift = [hit[1] - centre(kx), hit[2] - centre(ky)].map((px) => signed(degrees > 0 ? px / degrees : px)).join(", ");
    tip.show(`${signed(weightAt(...hit))} at ${short(hit[0] * dt * 1000)} ms, (${shift}) ${degrees > 0 ? "deg" : "px"}`, ...pointer);
  }

  const pick = (): void => {
    const hit = under();
    if (hit === null) return;
    const [, kx, ky] = size();
    const [ax, ay] = cursor.get("anchor");
    const pixel: [number, number] = [Math.max(0, ax + hit[1] - centre(kx)), Math.max(0, ay + hit[2] - centre(ky))];
    cursor.set({ lag: hit[0], pixel });
  };
  const key = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -tiling.columns, ArrowDown: tiling.columns };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    cursor.set({ lag: clamp(cursor.get("lag") + step, 0, size()[0] - 1) });
  };
  const { canvas } = surface;
  canvas.addEventListener("pointermove", (event) => ((pointer = surface.at(event)), tell()), { signal });
  canvas.addEventListener("pointerdown", (event) => ((pointer = surface.at(event)), pick()), { signal });
  canvas.addEventListener("pointerleave", () => ((pointer = null), tip.hide()), { signal });
  canvas.addEventListener("keydown", key, { signal });
  return paint;
}

export default defineView<State>({
  state: () => ({ weights: null, limit: null, ago: null }),
  receive: (state, { fields, arrays }) => {
    state.weights = arrays["weights"] ?? state.weights;
    if ("limit" in fields) state.limit = fields["limit"] as number | null;
    if ("ago" in fields) state.ago = fields["ago"] as number | null;
  },
  display,
});
