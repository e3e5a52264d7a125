// The parameters of a model: groups are layers, rows are parameters.
import { atMostEachFrame, card, h, setText } from "./dom";
import { Row, type Parameter } from "./panel-row";
import { defineView, type Display } from "./view";

interface State {
  values: Record<string, number>;
  errors: Record<string, string | null>;
  /** Counts the kernel's answers, so that a display takes each in once. */
  answers: number;
}

function display({ model, el, signal, state }: Display<State>): () => void {
  const title = String(model.get("title"));
  const { header, info, body } = card(el, model, "panel", signal);
  info.remove();
  // in a narrow dashboard the panel is a drawer, and this button takes the title's place
  const drawer = h("button", { class: "convis-link convis-drawer", type: "button", "aria-expanded": "false" }, title);
  const resetAll = h("button", { class: "convis-link convis-reset", type: "button", title: "Reset every parameter to its default" }, "Reset all");
  const search = h("input", { class: "convis-search", type: "search", placeholder: "Search parameters", "aria-label": "Search parameters" });
  const list = h("div", { class: "convis-groups" });
  const nothing = h("p", { class: "convis-nothing", role: "status", hidden: true });
  header.append(drawer, resetAll);
  body.append(search, list, nothing);
  let rows: Row[] = [];
  let shown: unknown = null;
  let seen = -1;

  const queue = new Map<string, number>();
  const flush = atMostEachFrame(() => {
    model.send({ type: "set", values: Object.fromEntries(queue) });
    queue.clear();
  });
  const send = (name: string, value: number): void => {
    queue.set(name, value);
    flush();
  };

  function build(parameters: Parameter[]): void {
    rows = parameters.map((parameter) => new Row({ ...parameter, value: state.values[parameter.name] ?? parameter.value }, send));
    const groups = new Map<string, Row[]>();
    for (const row of rows) groups.set(row.parameter.group, [...(groups.get(row.parameter.group) ?? []), row]);
    list.replaceChildren(
      ...[...groups].map(([name, members]) =>
        h("details", { class: "convis-group", open: true }, h("summary", {}, name), ...members.map((row) => row.element)),
      ),
    );
    filter();
  }

  function filter(): void {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.element.hidden = !row.matches(words);
    for (const group of list.querySelectorAll<HTMLDetailsElement>("details")) {
      group.hidden = group.querySelector(".convis-row:not([hidden])") === null;
      if (words.length > 0) group.open = true;
    }
    nothing.hidden = rows.some((row) => !row.element.hidden);
    resetAll.hidden = search.hidden = rows.length === 0;
    setText(nothing, rows.length === 0 ? "None of its parameters is a single number." : "No parameter matches.");
  }

  drawer.addEventListener("click", () => drawer.setAttribute("aria-expanded", String(el.classList.toggle("convis-open"))), { signal });
  search.addEventListener("input", filter, { signal });
  search.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
  resetAll.addEventListener("click", () => rows.forEach((row) => row.reset()), { signal });

  return () => {
    const parameters = model.get("rows");
    if (parameters !== shown) build(parameters as Parameter[]);
    else if (seen === state.answers) return;
    shown = parameters;
    seen = state.answers;
    for (const row of rows) {
      const { name, value } = row.parameter;
      row.show(state.values[name] ?? value, state.errors[name] ?? null);
    }
  };
}

export default defineView<State>({
  state: () => ({ values: {}, errors: {}, answers: 0 }),
  receive: (state, { fields }) => {
    state.values = (fields["values"] as Record<string, number> | undefined) ?? state.values;
    state.errors = (fields["errors"] as Record<string, string | null> | undefined) ?? state.errors;
    state.answers++;
  },
  display,
});
