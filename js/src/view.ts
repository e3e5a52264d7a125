// What all views share: state kept with the model, painted into every place where the view is displayed.
import { Cursor } from "./cursor";
import { eachFrame } from "./dom";
import { followTheme } from "./theme";
import type { InitializeProps, Model, News, RenderProps } from "./types";

export interface Display<State> {
  model: Model;
  el: HTMLElement;
  signal: AbortSignal;
  state: State;
  cursor: Cursor;
  /** Paint all displays of this view in the next animation frame. */
  repaint: () => void;
}

export interface ViewDefinition<State> {
  state: () => State;
  receive: (state: State, news: News, model: Model) => void;
  /** Build one display and return the function that paints it. */
  display: (display: Display<State>) => () => void;
}

/** State outlives displays: a view shown twice, or shown late, paints the present at once. */
export function defineView<State>(definition: ViewDefinition<State>) {
  return () => {
    const state = definition.state();
    const cursor = new Cursor();
    const painters = new Set<() => void>();
    const repaint = eachFrame(() => painters.forEach((paint) => paint()));
    return {
      initialize({ model, signal }: InitializeProps): void {
        const receive = (news: News): void => {
          definition.receive(state, news, model);
          repaint();
        };
        model.on("convis:live", receive as (...args: never[]) => void);
        model.on("change", repaint);
        followTheme(signal, repaint);
        void cursor.attach(model, repaint, signal);
        model.send({ type: "hello" });
      },
      render({ model, el, signal }: RenderProps): void {
        const paint = definition.display({ model, el, signal, state, cursor, repaint });
        painters.add(paint);
        signal.addEventListener("abort", () => painters.delete(paint));
        repaint();
      },
    };
  };
}
