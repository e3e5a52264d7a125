// A colour bar with the values of its ends, and of its middle or what it measures.
import { Bitmap } from "./canvas";
import type { Table } from "./colour";
import { h, setText } from "./dom";

export class ColourBar {
  private readonly bitmap = new Bitmap();
  private readonly labels = [h("span"), h("span"), h("span")] as const;
  private table: Table | null = null;

  constructor(parent: HTMLElement) {
    this.bitmap.fit(256, 1);
    const scale = h("div", { class: "convis-bar-labels" }, ...this.labels);
    this.bitmap.canvas.setAttribute("aria-hidden", "true"); // its labels say it
    parent.append(h("div", { class: "convis-colourbar" }, this.bitmap.canvas, scale));
  }

  update(table: Table, lo: string, middle: string, hi: string): void {
    [lo, middle, hi].forEach((text, i) => setText(this.labels[i as 0 | 1 | 2], text));
    if (table === this.table) return;
    this.table = table;
    this.bitmap.pixels.set(table);
    this.bitmap.flush();
  }
}
