// What we use of the widget protocol, and what travels over it.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Fields = Record<string, Json>;
export type Numbers = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/** A numeric array with its shape; `append` marks event lists that add to what came before. */
export interface NumericArray {
  data: Numbers;
  shape: number[];
  append: boolean;
}

/** News for one view. */
export interface News {
  fields: Fields;
  arrays: Record<string, NumericArray>;
}

export interface WidgetManager {
  get_model(id: string): Promise<WidgetModel>;
  /** Sent whenever a notebook has read the state of all widgets from the kernel; not every page has it. */
  restored?: { connect(slot: () => void): unknown; disconnect(slot: () => void): unknown };
}

type Listener = (...args: never[]) => void;

/** The part of a widget's model that anywidget hands to a module. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: Json): void;
  on(event: string, callback: Listener, context?: unknown): void;
  off(event: string | null, callback?: Listener | null, context?: unknown): void;
  widget_manager: WidgetManager;
}

/** A widget's model as its manager returns it. */
export interface WidgetModel extends Model {
  trigger(event: string, ...args: unknown[]): void;
  set_state(state: Record<string, unknown>): void;
}

export interface InitializeProps {
  model: Model;
  signal: AbortSignal;
}

export interface RenderProps {
  model: Model;
  el: HTMLElement;
  signal: AbortSignal;
}

/** `IPY_MODEL_<id>` is how a trait refers to another widget. */
export function modelId(reference: unknown): string | null {
  const prefix = "IPY_MODEL_";
  return typeof reference === "string" && reference.startsWith(prefix) ? reference.slice(prefix.length) : null;
}
