// Building elements. Text only ever goes in as text.
import type { Model } from "./types";

type Attributes = Record<string, string | number | boolean | undefined>;

/** An element with attributes and children; attributes that are false or undefined are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/** Set text only when it differs, so that a screen reader and the layout are left in peace. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A function that runs `callback` once in the next animation frame, however often it is called. */
export function eachFrame(callback: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      callback();
    });
  };
}

/** A function that runs `callback` when the present task is done, but not again before the next animation frame. */
export function atMostEachFrame(callback: () => void): () => void {
  let [resting, asked] = [false, false];
  const run = (): void => {
    asked = false;
    requestAnimationFrame(() => {
      resting = asked;
      if (asked) run();
    });
    callback();
  };
  return () => {
    asked = true;
    if (resting) return;
    resting = true;
    queueMicrotask(run);
  };
}

export interface Card {
  header: HTMLElement;
  info: HTMLElement;
  body: HTMLElement;
}

/** Turn `el` into a card: the model's title bold on the left, grey information right, a body below. */
export function card(el: HTMLElement, model: Model, kind: string, signal: AbortSignal): Card {
  el.classList.add("convis", "convis-card", `convis-${kind}`);
  const info = h("span", { class: "convis-info" });
  const title = h("span", { class: "convis-title" });
  const name = (): void => setText(title, String(model.get("title")));
  model.on("change:title", name);
  signal.addEventListener("abort", () => model.off("change:title", name));
  name();
  const header = h("div", { class: "convis-head" }, title, info);
  const body = h("div", { class: "convis-body" });
  el.replaceChildren(header, body);
  return { header, info, body };
}
