// The page's widgets by id. While a page is loaded again, some are made later than those that speak to them.
import type { WidgetManager, WidgetModel } from "./types";

/** How often, and how long apart, a widget is looked for that the page has not made yet. */
const TRIES = 25;
const PAUSE_MS = 200;

export class Widgets {
  private readonly models = new Map<string, Promise<WidgetModel>>();

  constructor(private readonly manager: WidgetManager) {}

  /** A widget that the page has made or is making; a miss is not kept, for the widget may be on its way. */
  readonly find = (id: string): Promise<WidgetModel> => {
    const known = this.models.get(id);
    if (known !== undefined) return known;
    const found = this.manager.get_model(id);
    this.models.set(id, found);
    found.then(
      (model) => model.on("destroy", () => this.models.delete(id)),
      () => this.models.delete(id),
    );
    return found;
  };

  /** A widget, waited for some seconds where the page has not made it yet. */
  readonly waitFor = async (id: string): Promise<WidgetModel> => {
    for (let tries = TRIES; tries > 0; tries--) {
      try {
        return await this.find(id);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
    return this.find(id);
  };
}
