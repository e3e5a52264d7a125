// Colours of the theme for widgets that are not ours and cannot read CSS: given as "var(--cv-card)", set as plain colours.
import { rgb } from "./theme";
import type { Model, WidgetModel } from "./types";

export interface Paint {
  target: string;
  attr: string;
  value: unknown;
}

/** The value with every `var(--name)` replaced by the colour that the page gives it now. */
export function painted(value: unknown, colourOf: (name: string) => string): unknown {
  if (typeof value === "string") return value.replace(/^var\((--[\w-]+)\)$/, (_, name: string) => colourOf(name));
  if (Array.isArray(value)) return value.map((item) => painted(item, colourOf));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item, colourOf)]));
}

/** Set the hub's `paints` now and whenever they change; the function returned does so after a change of theme. */
export function followPaints(hub: Model, find: (id: string) => Promise<WidgetModel>, signal: AbortSignal): () => void {
  const style = getComputedStyle(document.documentElement);
  const colourOf = (name: string): string => `rgb(${rgb(style.getPropertyValue(name).trim()).join(", ")})`;
  const repaint = (): void => {
    for (const { target, attr, value } of hub.get("paints") as Paint[]) {
      void find(target).then((model) => signal.aborted || model.set_state({ [attr]: painted(value, colourOf) }));
    }
  };
  hub.on("change:paints", repaint);
  repaint();
  return repaint;
}
