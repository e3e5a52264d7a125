// The selection shared by all views of a dashboard.
import { modelId, type Model, type WidgetModel } from "./types";
import { Widgets } from "./widgets";

export interface Selection {
  pixel: [number, number];
  anchor: [number, number];
  lag: number;
  time: number | null;
  brush: [number, number] | null;
}

const NOTHING: Selection = { pixel: [0, 0], anchor: [0, 0], lag: 0, time: null, brush: null };

export class Cursor {
  private model: WidgetModel | null = null;

  /** Find the cursor that `view` names; `changed` runs when it is there and at every change. */
  async attach(view: Model, changed: () => void, signal: AbortSignal): Promise<void> {
    const id = modelId(view.get("cursor"));
    if (id === null) return;
    const model = await new Widgets(view.widget_manager).waitFor(id);
    if (signal.aborted) return;
    const context = Symbol("convis.cursor");
    model.on("change", changed, context);
    signal.addEventListener("abort", () => model.off(null, null, context));
    this.model = model;
    if (model.get("time") !== null) this.set({ time: null }); // marked by a page that is gone, and its pointer with it
    changed();
  }

  get<K extends keyof Selection>(name: K): Selection[K] {
    return (this.model?.get(name) as Selection[K] | undefined) ?? NOTHING[name];
  }

  /** Select; the other views and the kernel follow. */
  set(selection: Partial<Selection>): void {
    if (this.model === null) return;
    for (const [name, value] of Object.entries(selection)) this.model.set(name, value);
    this.model.save_changes();
  }
}
