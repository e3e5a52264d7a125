// bqplot lays a figure out when its size changes, but forgets a change that comes while the figure is being built.
import type { Model, WidgetModel } from "./types";

/** When to ask again after the window has changed, in ms: figures are built within a second, on a slow machine in three. */
const LATER = [1000, 3000];

/** A figure of bqplot, with a view for each display. */
interface Figure {
  views?: Record<string, Promise<{ relayout?: () => void }>>;
}

/** Ask the hub's `plots`, a little after the window has changed, to lay themselves out, which does nothing if they have. */
export function followResizes(hub: Model, find: (id: string) => Promise<WidgetModel & Figure>, signal: AbortSignal): void {
  const ask = async (id: string): Promise<void> => {
    const model = await find(id);
    for (const view of Object.values(model.views ?? {})) (await view).relayout?.();
  };
  let timers: ReturnType<typeof setTimeout>[] = [];
  const forget = (): void => timers.forEach(clearTimeout);
  const plan = (): void => {
    forget();
    const ids = hub.get("plots") as string[];
    timers = LATER.map((ms) => setTimeout(() => ids.forEach((id) => void ask(id).catch(() => undefined)), ms));
  };
  window.addEventListener("resize", plan, { signal });
  signal.addEventListener("abort", forget);
}
