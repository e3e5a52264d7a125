// One parameter: name, unit, dot, value, slider and, when a value was refused, the reason.
import { h, setText } from "./dom";
import { editable } from "./format";
import { parseNumber, toPosition, toValue, type Range } from "./scale";

export interface Parameter extends Range {
  name: string;
  group: string;
  label: string;
  unit: string;
  value: number;
  default: number;
  doc: string;
}

const FINE = 1000; // positions of the slider
const HOLD = 400; // ms during which a slider that was moved is not moved back by the kernel's answers

let serial = 0;

export class Row {
  readonly element: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly slider: HTMLInputElement;
  private readonly dot: HTMLButtonElement;
  private readonly reason: HTMLElement;
  private value: number;
  private movedAt = -Infinity;

  constructor(
    readonly parameter: Parameter,
    private readonly send: (name: string, value: number) => void,
  ) {
    const id = `convis-parameter-${++serial}`;
    const { label, unit, doc } = parameter;
    this.value = parameter.value;
    this.field = h("input", { class: "convis-field", id, type: "text", inputmode: "decimal", "aria-describedby": `${id}-doc ${id}-reason`, autocomplete: "off" });
    this.slider = h("input", { class: "convis-slider", type: "range", min: 0, max: FINE, step: 1, "aria-label": `${label} ${unit}`.trim() });
    const back = `Reset ${label} to ${editable(parameter.default)} ${unit}`.trim();
    this.dot = h("button", { class: "convis-dot", type: "button", title: back, "aria-label": back });
    this.reason = h("p", { class: "convis-reason", id: `${id}-reason`, role: "status", hidden: true });
    const name = h("label", { for: id }, label, h("span", { class: "convis-unit" }, unit && ` ${unit}`));
    this.element = h(
      "div",
      { class: "convis-row", title: doc },
      h("div", { class: "convis-line" }, name, this.dot, this.field),
      this.slider,
      this.reason,
      h("span", { class: "convis-hidden", id: `${id}-doc` }, doc),
    );
    this.slider.addEventListener("input", () => this.change(toValue(this.slider.valueAsNumber / FINE, this.parameter)));
    this.field.addEventListener("change", () => this.typed());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.dot.addEventListener("click", () => this.reset());
    this.draw();
  }

  get differs(): boolean {
    return Math.abs(this.value - this.parameter.default) > 1e-9 * Math.max(1e-12, Math.abs(this.parameter.default));
  }

  matches(words: string[]): boolean {
    const { name, group, label, unit, doc } = this.parameter;
    const text = `${name} ${group} ${label} ${unit} ${doc}`.toLowerCase();
    return words.every((word) => text.includes(word));
  }

  /** Show what the kernel says, unless a person is just moving it. A refused value always goes back. */
  show(value: number, error: string | null): void {
    if (error === null && performance.now() - this.movedAt < HOLD) return;
    this.value = value;
    this.explain(error ?? "");
    this.draw();
  }

  reset(): void {
    if (this.differs) this.change(this.parameter.default);
  }

  private change(value: number): void {
    this.value = value;
    this.movedAt = performance.now();
    this.explain("");
    this.draw();
    this.send(this.parameter.name, value);
  }

  private typed(): void {
    const value = parseNumber(this.field.value);
    if (value === null) {
      this.explain(`"${this.field.value.trim()}" is not a number; ${editable(this.value)} stays.`);
      this.field.value = editable(this.value);
    } else if (value !== Number(editable(this.value))) this.change(value);
  }

  private key(event: KeyboardEvent): void {
    event.stopPropagation(); // a notebook has shortcuts on plain letters
    if (event.key === "Escape") this.field.value = editable(this.value);
    if (event.key === "Enter" || event.key === "Escape") this.field.blur();
  }

  private explain(reason: string): void {
    setText(this.reason, reason);
    this.reason.hidden = reason === "";
    this.field.setAttribute("aria-invalid", String(reason !== ""));
  }

  private draw(): void {
    const position = toPosition(this.value, this.parameter);
    if (document.activeElement !== this.field || performance.now() - this.movedAt < HOLD) this.field.value = editable(this.value);
    this.slider.value = String(Math.round(position * FINE));
    this.slider.style.setProperty("--cv-fill", `${100 * position}%`);
    this.slider.setAttribute("aria-valuetext", `${editable(this.value)} ${this.parameter.unit}`.trim());
    this.dot.classList.toggle("convis-on", this.differs);
    this.dot.tabIndex = this.differs ? 0 : -1;
  }
}
