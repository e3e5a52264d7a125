// Spikes of several populations over time.
import { Surface } from "./canvas";
import { card, eachFrame, h, setText } from "./dom";
import { grouped, short } from "./format";
import { clamp } from "./geometry";
import { bandsOf, paintAxes, paintBackground, paintForeground, plotBox, timeToX, xToTime, type Scene } from "./raster-axes";
import { nearest, RasterLayer } from "./raster-layer";
import { SpikeStore } from "./spikes";
import { palette, rgb, type Palette } from "./theme";
import { Tip } from "./tip";
import { defineView, type Display } from "./view";

interface State {
  spikes: SpikeStore;
  now: number | null;
  window: [number, number] | null;
}

const REACH = 6; // pixels from the pointer to a spike it names
const DRAG = 4; // pixels after which a press becomes a brush

const inkOf = (colours: Palette, population: number): string => [colours.on, colours.off][population] ?? colours.ink;

function display({ model, el, signal, state, cursor, repaint }: Display<State>): () => void {
  const { info, body } = card(el, model, "raster", signal);
  const surface = new Surface(body, paint, signal);
  const tip = new Tip(body);
  const layer = new RasterLayer();
  const legend = h("span", { class: "convis-legend" });
  const count = h("span");
  info.append(legend, count);
  let pointer: [number, number] | null = null;
  let pressed: number | null = null;
  let font = "sans-serif";

  function scene(): Scene {
    const colours = palette(el);
    const names = model.get("populations") as string[];
    return {
      plot: plotBox(surface.width, surface.height),
      window: state.window ?? [0, Math.max(1, Math.ceil(state.now ?? 0))],
      names,
      cells: model.get("n_cells") as number[],
      now: state.now,
      time: cursor.get("time"),
      brush: cursor.get("brush"),
      colours,
      inks: names.map((_, i) => inkOf(colours, i)),
    };
  }

  function paint(): void {
    if (surface.width === 0) return;
    font = getComputedStyle(el).fontFamily;
    const now = scene();
    const { plot } = now;
    const context = surface.begin();
    const [x, y] = [Math.round(plot.x * surface.ratio), Math.round(plot.y * surface.ratio)];
    const [width, height] = [Math.round(plot.width * surface.ratio), Math.round(plot.height * surface.ratio)];
    const bands = bandsOf(now.cells, height).map((band, i) => ({ ...band, cells: now.cells[i] ?? 1, colour: rgb(now.inks[i] ?? now.colours.ink) }));
    layer.update(state.spikes, width, height, now.window, bands, 2 * surface.ratio);
    paintBackground(context, now);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(layer.bitmap.canvas, x, y);
    context.setTransform(surface.ratio, 0, 0, surface.ratio, 0, 0);
    paintForeground(context, now);
    paintAxes(context, now, font);
    tell(now);
  }

  function tell(now: Scene): void {
    const { total, dropped } = state.spikes;
    legend.replaceChildren(...now.names.map((name, i) => h("span", { class: "convis-key", style: `--cv-key: ${now.inks[i] ?? ""}` }, name)));
    const same = now.cells.every((n) => n === now.cells[0]);
    const cells = same ? `${now.cells.length} \u00d7 ${grouped(now.cells[0] ?? 0)}` : now.cells.map(grouped).join(" + ");
    const lost = dropped > 0 ? `, the oldest ${grouped(dropped)} not shown` : "";
    const selected = now.brush === null ? "drag to select" : `selected ${now.brush[0].toFixed(2)}\u2013${now.brush[1].toFixed(2)} s`;
    setText(count, `${cells} cells, ${grouped(total + state.spikes.missed)} spikes${lost}; ${selected}`);
    surface.describe(
      `${String(model.get("title"))}: ${grouped(total)} spikes of ${now.names.join(" and ")} cells, ${short(now.window[0])} to ` +
        `${short(now.window[1])} s. Left and right arrows move the time, with shift they select a range, Escape clears both.`,
    );
    hint(now);
  }

  function hint(now: Scene): void {
    if (pointer === null) return tip.hide();
    const time = xToTime(now, pointer[0]);
    if (time < now.window[0] || time > now.window[1]) return tip.hide();
    tip.show(spikeText(now, pointer) ?? `${time.toFixed(3)} s`, ...pointer);
  }

  function spikeText(now: Scene, point: [number, number]): string | null {
    const bands = bandsOf(now.cells, now.plot.height);
    const perPixel = (now.window[1] - now.window[0]) / now.plot.width;
    const place = (time: number, cell: number, p: number): [number, number] => {
      const band = bands[p] ?? { top: 0, height: 0 };
      return [timeToX(now, time), now.plot.y + band.top + ((cell + 0.5) / (now.cells[p] ?? 1)) * band.height];
    };
    const time = xToTime(now, point[0]);
    const at = nearest(state.spikes, place, point, REACH, [time - REACH * perPixel, time + REACH * perPixel]);
    if (at === null) return null;
    const { cell, population, time: times } = state.spikes;
    const columns = (model.get("cell_shape") as [number, number])[1];
    const index = cell[at] as number;
    const pixel = columns > 0 ? ` (x ${Math.floor(index / columns)}, y ${index % columns})` : "";
    return `${now.names[population[at] as number]} cell ${grouped(index)}${pixel}, ${(times[at] as number).toFixed(3)} s`;
  }

  const timeAt = (x: number): number => {
    const now = scene();
    return clamp(xToTime(now, x), ...now.window);
  };
  const follow = eachFrame(() => {
    if (pointer === null) return cursor.set({ time: null });
    const time = timeAt(pointer[0]);
    if (pressed === null || Math.abs(pointer[0] - pressed) < DRAG) return cursor.set({ time });
    const start = timeAt(pressed);
    cursor.set({ time, brush: [Math.min(start, time), Math.max(start, time)] });
  });
  const move = (event: PointerEvent): void => {
    pointer = surface.at(event);
    follow();
    repaint();
  };
  const press = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    pressed = surface.at(event)[0];
    surface.canvas.setPointerCapture(event.pointerId);
  };
  const leave = (): void => {
    pointer = null;
    follow();
    repaint();
  };
  const key = (event: KeyboardEvent): void => {
    const now = scene();
    const step = { ArrowLeft: -0.01, ArrowRight: 0.01 }[event.key];
    if (event.key === "Escape") cursor.set({ brush: null, time: null });
    else if (step !== undefined) {
      const from = cursor.get("time") ?? now.now ?? now.window[0];
      const time = clamp(from + step * (now.window[1] - now.window[0]), ...now.window);
      const [start, end] = cursor.get("brush") ?? [from, from];
      const [fixed] = Math.abs(end - from) <= Math.abs(start - from) ? [start] : [end];
      cursor.set(event.shiftKey ? { time, brush: [Math.min(fixed, time), Math.max(fixed, time)] } : { time });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { canvas } = surface;
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerdown", press, { signal });
  canvas.addEventListener("pointerup", () => (pressed = null), { signal });
  canvas.addEventListener("pointercancel", () => (pressed = null), { signal });
  canvas.addEventListener("pointerleave", leave, { signal });
  canvas.addEventListener("dblclick", () => cursor.set({ brush: null }), { signal });
  canvas.addEventListener("keydown", key, { signal });
  return paint;
}

export default defineView<State>({
  state: () => ({ spikes: new SpikeStore(), now: null, window: null }),
  receive: (state, news, model) => {
    state.spikes.receive(news, Number(model.get("max_spikes")));
    state.now = (news.fields["now"] as number | undefined) ?? state.now;
    state.window = (news.fields["window"] as [number, number] | undefined) ?? state.window;
  },
  display,
});
