// A frame of the stimulus, drawn as matshow does: x is the row, y the column.
import { Bitmap, Surface } from "./canvas";
import { greyTable, paintValues } from "./colour";
import { ColourBar } from "./colourbar";
import { card, setText } from "./dom";
import { short } from "./format";
import { cellAt, cellBox, centre, clamp, contain, inset, type Box } from "./geometry";
import { palette } from "./theme";
import { Tip } from "./tip";
import type { NumericArray } from "./types";
import { defineView, type Display } from "./view";

interface State {
  frame: NumericArray | null;
  time: number | null;
  past: boolean;
}

const GREY = greyTable();
const STEPS: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function display({ model, el, signal, state, cursor }: Display<State>): () => void {
  const { info, body } = card(el, model, "frames", signal);
  const surface = new Surface(body, paint, signal);
  const bar = new ColourBar(body);
  const tip = new Tip(body);
  const bitmap = new Bitmap();
  let box: Box = { x: 0, y: 0, width: 1, height: 1 };
  let pointer: [number, number] | null = null;

  const size = (): [number, number] => [state.frame?.shape[0] ?? 1, state.frame?.shape[1] ?? 1];
  const valueAt = (x: number, y: number): number => Number(state.frame?.data[x * size()[1] + y] ?? NaN);
  const under = (): [number, number] | null => (pointer === null || state.frame === null ? null : cellAt(box, ...size(), ...pointer));

  function paint(): void {
    if (state.frame === null || surface.width === 0) return;
    const [rows, columns] = size();
    const [lo, hi] = model.get("value_range") as [number, number];
    body.style.setProperty("--cv-aspect", `${columns} / ${rows}`);
    box = contain(surface.width, surface.height, columns, rows);
    bitmap.fit(columns, rows);
    paintValues(bitmap.pixels, state.frame.data, lo, hi, GREY);
    bitmap.flush();
    const context = surface.begin();
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap.canvas, box.x, box.y, box.width, box.height);
    mark(context, rows, columns);
    bar.update(GREY, short(lo), String(model.get("label")), short(hi));
    tell(rows, columns);
  }

  function mark(context: CanvasRenderingContext2D, rows: number, columns: number): void {
    const colours = palette(el);
    const [px, py] = cursor.get("pixel");
    const [ax, ay] = cursor.get("anchor");
    const [kx, ky] = model.get("footprint") as [number, number];
    const cell = cellBox(box, rows, columns, px, py);
    context.save();
    context.beginPath();
    context.rect(box.x, box.y, box.width, box.height);
    context.clip();
    context.strokeStyle = colours.accent;
    context.globalAlpha = 0.65;
    context.beginPath();
    context.moveTo(box.x, cell.y + cell.height / 2);
    context.lineTo(box.x + box.width, cell.y + cell.height / 2);
    context.moveTo(cell.x + cell.width / 2, box.y);
    context.lineTo(cell.x + cell.width / 2, box.y + box.height);
    context.stroke();
    context.globalAlpha = 1;
    if (state.past) outline(context, inset(box, 2), colours.accent, 3, [8, 5]);
    if (kx > 0 && ky > 0) outline(context, cellBox(box, rows, columns, ax - centre(kx), ay - centre(ky), kx, ky), colours.accent, 1, [4, 3]);
    outline(context, cell, colours.accent, 2, []);
    context.restore();
  }

  function tell(rows: number, columns: number): void {
    const degrees = Number(model.get("pixel_per_degree"));
    const extent = degrees > 0 ? `, ${short(rows / degrees)}${rows === columns ? "" : ` \u00d7 ${short(columns / degrees)}`} deg` : "";
    const seen = state.past && state.time !== null ? `seen at ${state.time.toFixed(2)} s` : "";
    el.classList.toggle("convis-past", seen !== "");
    setText(info, seen || `${rows} \u00d7 ${columns} px${extent}`);
    const [x, y] = cursor.get("pixel");
    surface.describe(
      `${String(model.get("title"))}${seen && `, ${seen}`}, ${rows} by ${columns} pixels. Selected pixel x ${x}, y ${y}: ${short(valueAt(x, y))}. Arrow keys move it.`,
    );
    const hit = under();
    if (hit === null || pointer === null) tip.hide();
    else tip.show(`(x ${hit[0]}, y ${hit[1]}) ${short(valueAt(...hit))}`, ...pointer);
  }

  const select = (pixel: [number, number]): void => cursor.set({ pixel, anchor: pixel });
  const hover = (event: PointerEvent): void => {
    pointer = surface.at(event);
    tell(...size());
    if (event.buttons & 1) pick();
  };
  const pick = (): void => {
    const hit = under();
    if (hit !== null) select(hit);
  };
  const leave = (): void => {
    pointer = null;
    tip.hide();
  };
  const key = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [rows, columns] = size();
    const [x, y] = cursor.get("pixel");
    const far = event.shiftKey ? 10 : 1;
    select([clamp(x + far * step[0], 0, rows - 1), clamp(y + far * step[1], 0, columns - 1)]);
  };
  const { canvas } = surface;
  canvas.addEventListener("pointermove", hover, { signal });
  canvas.addEventListener("pointerdown", (event) => (hover(event), pick()), { signal });
  canvas.addEventListener("pointerleave", leave, { signal });
  canvas.addEventListener("keydown", key, { signal });
  return paint;
}

function outline(context: CanvasRenderingContext2D, box: Box, colour: string, width: number, dash: number[]): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.strokeRect(box.x, box.y, box.width, box.height);
}

export default defineView<State>({
  state: () => ({ frame: null, time: null, past: false }),
  receive: (state, { fields, arrays }) => {
    state.frame = arrays["frame"] ?? state.frame;
    state.time = (fields["time"] as number | null | undefined) ?? state.time;
    state.past = (fields["past"] as boolean | undefined) ?? state.past;
  },
  display,
});
