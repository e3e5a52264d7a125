// The raster's frame: bands of populations, time axis, playhead, hovered time and brush.
import { short, ticks } from "./format";
import type { Box } from "./geometry";
import type { Palette } from "./theme";

export const MARGIN = { left: 52, right: 14, top: 4, bottom: 32 };
const GAP = 4;

export interface Scene {
  plot: Box;
  window: [number, number];
  names: string[];
  cells: number[];
  now: number | null;
  time: number | null;
  brush: [number, number] | null;
  colours: Palette;
  /** Colour of each population. */
  inks: string[];
}

export const plotBox = (width: number, height: number): Box => ({
  x: MARGIN.left,
  y: MARGIN.top,
  width: Math.max(1, width - MARGIN.left - MARGIN.right),
  height: Math.max(1, height - MARGIN.top - MARGIN.bottom),
});

/** Top and height of each population's band, from the top of the plot; height is shared out by the number of cells. */
export function bandsOf(cells: number[], height: number): { top: number; height: number }[] {
  const all = cells.reduce((sum, n) => sum + n, 0) || 1;
  const free = Math.max(1, height - GAP * (cells.length - 1));
  let top = 0;
  return cells.map((n) => {
    const band = { top, height: (free * n) / all };
    top += band.height + GAP;
    return band;
  });
}

export const timeToX = (scene: Pick<Scene, "plot" | "window">, time: number): number =>
  scene.plot.x + ((time - scene.window[0]) / (scene.window[1] - scene.window[0])) * scene.plot.width;

export const xToTime = (scene: Pick<Scene, "plot" | "window">, x: number): number =>
  scene.window[0] + ((x - scene.plot.x) / scene.plot.width) * (scene.window[1] - scene.window[0]);

/** Below the spikes: brush and grid. */
export function paintBackground(context: CanvasRenderingContext2D, scene: Scene): void {
  const { plot, colours } = scene;
  if (scene.brush !== null) {
    const [x0, x1] = scene.brush.map((t) => Math.max(plot.x, Math.min(plot.x + plot.width, timeToX(scene, t)))) as [number, number];
    context.fillStyle = colours.select;
    context.fillRect(x0, plot.y, x1 - x0, plot.height);
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.strokeRect(Math.round(x0) + 0.5, plot.y + 0.5, Math.round(x1 - x0) - 1, plot.height - 1);
  }
  context.strokeStyle = colours.grid;
  context.lineWidth = 1;
  context.beginPath();
  for (const t of timeTicks(scene)) {
    const x = Math.round(timeToX(scene, t)) + 0.5;
    context.moveTo(x, plot.y);
    context.lineTo(x, plot.y + plot.height);
  }
  context.stroke();
}

const timeTicks = (scene: Scene): number[] => ticks(scene.window[0], scene.window[1], Math.max(2, Math.floor(scene.plot.width / 90)));

/** Above the spikes: playhead and hovered time. */
export function paintForeground(context: CanvasRenderingContext2D, scene: Scene): void {
  const { plot, colours } = scene;
  const line = (time: number, dash: number[], width: number): void => {
    if (time < scene.window[0] || time > scene.window[1]) return;
    const x = timeToX(scene, time);
    context.setLineDash(dash);
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x, plot.y);
    context.lineTo(x, plot.y + plot.height);
    context.stroke();
    context.setLineDash([]);
  };
  context.strokeStyle = colours.accent;
  if (scene.now !== null) line(scene.now, [], 1.5);
  context.strokeStyle = colours.ink; // the accent would vanish among the spikes of OFF cells
  if (scene.time !== null) line(scene.time, [5, 3], 1.5);
}

export function paintAxes(context: CanvasRenderingContext2D, scene: Scene, font: string): void {
  const { plot, colours } = scene;
  context.font = `11px ${font}`;
  context.fillStyle = colours.muted;
  context.textAlign = "center";
  context.textBaseline = "top";
  const base = plot.y + plot.height;
  for (const t of timeTicks(scene)) context.fillText(short(t, 6), timeToX(scene, t), base + 4);
  context.fillText("time (s)", plot.x + plot.width / 2, base + 18);
  bandsOf(scene.cells, plot.height).forEach((band, i) => {
    const top = plot.y + band.top;
    context.fillStyle = colours.muted;
    context.textAlign = "right";
    context.textBaseline = "top";
    if (i === 0) context.fillText("0", plot.x - 6, top);
    context.textBaseline = "bottom";
    if (band.height > 30) context.fillText(short((scene.cells[i] as number) - 1, 6), plot.x - 6, top + band.height);
    context.save();
    context.translate(12, top + band.height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = scene.inks[i] ?? colours.ink;
    if (band.height > 40) context.fillText(`${scene.names[i] ?? ""} cell`, 0, 0);
    context.restore();
  });
}
