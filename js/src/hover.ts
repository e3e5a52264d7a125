// The value under the pointer in plots that are not ours, whose own selectors follow it only after a click.
import { eachFrame } from "./dom";
import type { Model, WidgetModel } from "./types";

export interface Hover {
  name: string;
  scale: string;
  target: string;
  to: string;
}

const AREA = ".plotarea_background"; // the rectangle of a bqplot figure that its scales span

/** Where the pointer is on a horizontal scale that spans `area`; null beside it. */
export function valueAt(x: number, area: { left: number; width: number }, domain: [number, number]): number | null {
  const share = (x - area.left) / area.width;
  return share >= 0 && share <= 1 ? domain[0] + share * (domain[1] - domain[0]) : null;
}

/** Follow the pointer over the elements of the hub's `hovers` until `signal` aborts. */
export function followPointer(hub: Model, find: (id: string) => Promise<WidgetModel>, signal: AbortSignal): void {
  let over: Hover | null = null;
  let at: { x: number; area: DOMRect } | null = null;

  const tell = eachFrame(() => over !== null && void set(over, at));
  const move = ({ clientX, target }: PointerEvent): void => {
    const before = over;
    const element = target instanceof Element ? target : null;
    over = (hub.get("hovers") as Hover[]).find(({ name }) => element?.closest(`.${name}`)) ?? null;
    const area = over && element?.closest(`.${over.name}`)?.querySelector(AREA)?.getBoundingClientRect();
    at = area ? { x: clientX, area } : null;
    if (before !== null && before !== over) void set(before, null);
    tell();
  };

  async function set({ scale, target, to }: Hover, place: typeof at): Promise<void> {
    const [axis, model] = await Promise.all([find(scale), find(target)]);
    const domain = [Number(axis.get("min")), Number(axis.get("max"))] as [number, number];
    const value = place && valueAt(place.x, place.area, domain);
    if (signal.aborted || value === model.get(to)) return;
    model.set(to, value);
    model.save_changes();
  }

  const leave = (): void => {
    if (over !== null) void set(over, null);
    over = at = null;
  };

  document.addEventListener("pointermove", move, { signal });
  document.documentElement.addEventListener("pointerleave", leave, { signal });
}
