// Connections between widgets made inside the page: no kernel round trip.
import type { Model, WidgetModel } from "./types";

export interface Link {
  source: string;
  attr: string;
  target: string;
  to: string;
  item?: number;
  scale?: number;
  offset?: number;
  repeat?: number;
  otherwise?: number | null;
  save?: boolean;
}

/** The value for the target, or undefined when the target is to stay as it is. */
export function mapped(link: Link, value: unknown): unknown {
  const list = value as ArrayLike<unknown> | null | undefined;
  let result = link.item === undefined ? value : list?.[link.item];
  if (result === null || result === undefined) {
    if (link.otherwise === null || link.otherwise === undefined) return link.otherwise;
    result = link.otherwise;
  } else if (link.scale !== undefined || link.offset !== undefined) {
    result = Number(result) * (link.scale ?? 1) + (link.offset ?? 0);
  }
  return link.repeat === undefined ? result : new Float64Array(link.repeat).fill(Number(result));
}

/** Follow the `links` trait of the hub until `signal` aborts. */
export function followLinks(hub: Model, find: (id: string) => Promise<WidgetModel>, signal: AbortSignal): void {
  let controller = new AbortController();
  const rewire = (): void => {
    controller.abort();
    controller = new AbortController();
    for (const link of hub.get("links") as Link[]) void connect(link, find, controller.signal);
  };
  hub.on("change:links", rewire);
  signal.addEventListener("abort", () => controller.abort());
  rewire();
}

async function connect(link: Link, find: (id: string) => Promise<WidgetModel>, signal: AbortSignal): Promise<void> {
  const [source, target] = await Promise.all([find(link.source), find(link.target)]);
  if (signal.aborted) return;
  const context = Symbol("convis.link");
  const follow = (): void => {
    const value = mapped(link, source.get(link.attr));
    if (value === undefined) return;
    if (link.save) {
      target.set(link.to, value);
      target.save_changes();
    } else target.set_state({ [link.to]: value });
  };
  source.on(`change:${link.attr}`, follow, context);
  signal.addEventListener("abort", () => source.off(null, null, context));
}
