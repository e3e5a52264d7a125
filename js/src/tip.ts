// A small label at the pointer.
import { h, setText } from "./dom";

export class Tip {
  private readonly element = h("div", { class: "convis-tip", hidden: true, "aria-hidden": "true" });

  constructor(private readonly parent: HTMLElement) {
    parent.append(this.element);
  }

  /** Show `text` at a point of the parent, turned inwards near its edges. */
  show(text: string, x: number, y: number): void {
    setText(this.element, text);
    this.element.hidden = false;
    const right = x + 14 + this.element.offsetWidth > this.parent.clientWidth;
    const below = y > 40;
    this.element.style.left = `${Math.max(0, right ? x - 10 - this.element.offsetWidth : x + 14)}px`;
    this.element.style.top = `${below ? y - 30 : y + 16}px`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
