// Stand-ins for the widget protocol and for what happy-dom lacks of a canvas.
import { afterEach } from "vitest";
import type { Json, Model, WidgetManager, WidgetModel } from "../src/types";

type Callback = (...args: unknown[]) => unknown;

export class FakeModel implements WidgetModel {
  readonly sent: Json[] = [];
  saves = 0;
  private readonly listeners: { event: string; callback: Callback; context: unknown }[] = [];

  constructor(
    private readonly state: Record<string, unknown> = {},
    public widget_manager: WidgetManager = new FakeManager(),
  ) {}

  get(name: string): unknown {
    return this.state[name];
  }

  set(name: string, value: unknown): void {
    this.state[name] = value;
    this.trigger(`change:${name}`);
    this.trigger("change");
  }

  set_state(state: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(state)) this.set(name, value);
  }

  save_changes(): void {
    this.saves++;
  }

  send(content: Json): void {
    this.sent.push(content);
  }

  on(event: string, callback: (...args: never[]) => void, context?: unknown): void {
    this.listeners.push({ event, callback: callback as Callback, context });
  }

  off(event: string | null, callback?: ((...args: never[]) => void) | null, context?: unknown): void {
    const gone = (entry: { event: string; callback: Callback; context: unknown }): boolean =>
      (event === null || entry.event === event) && (!callback || entry.callback === callback) && entry.context === context;
    for (const entry of this.listeners.filter(gone)) this.listeners.splice(this.listeners.indexOf(entry), 1);
  }

  trigger(event: string, ...args: unknown[]): void {
    for (const entry of [...this.listeners]) if (entry.event === event) entry.callback(...args);
  }
}

export class FakeManager implements WidgetManager {
  readonly slots = new Set<() => void>();
  readonly restored = { connect: (slot: () => void) => this.slots.add(slot), disconnect: (slot: () => void) => this.slots.delete(slot) };

  constructor(private readonly models: Record<string, WidgetModel> = {}) {}

  async get_model(id: string): Promise<WidgetModel> {
    const model = this.models[id];
    if (model === undefined) throw new Error(`no widget ${id}`);
    return model;
  }
}

const shown = new Set<AbortController>();

// what a widget has planned for later must not outlive the test, and with it the document
afterEach(() => {
  shown.forEach((controller) => controller.abort());
  shown.clear();
});

/** Display a widget's module as anywidget does; returns the element and how to take it away. */
export async function show(
  module: () => { initialize: (props: { model: Model; signal: AbortSignal }) => void; render: (props: { model: Model; el: HTMLElement; signal: AbortSignal }) => void },
  model: FakeModel,
): Promise<{ el: HTMLElement; remove: () => void }> {
  const controller = new AbortController();
  shown.add(controller);
  const widget = module();
  widget.initialize({ model, signal: controller.signal });
  const el = document.createElement("div");
  document.body.append(el);
  widget.render({ model, el, signal: controller.signal });
  await frame();
  return { el, remove: () => (controller.abort(), el.remove()) };
}

export const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));

export function dataView(bytes: ArrayBufferLike, offset = 0): DataView {
  const whole = new Uint8Array(bytes.byteLength + offset);
  whole.set(new Uint8Array(bytes), offset);
  return new DataView(whole.buffer, offset, bytes.byteLength);
}

class FakeImageData {
  readonly data: Uint8ClampedArray;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
}
globalThis.ImageData ??= FakeImageData as unknown as typeof ImageData;
