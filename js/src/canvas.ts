// A canvas that fills its parent, sharp at any device pixel ratio, and can be focused and described.
import { h } from "./dom";

export class Surface {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;
  ratio = 1;

  constructor(parent: HTMLElement, resized: () => void, signal: AbortSignal) {
    this.canvas = h("canvas", { class: "convis-canvas", tabindex: 0, role: "img" });
    const holder = h("div", { class: "convis-holder" }, this.canvas);
    parent.append(holder);
    this.context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      this.resize(entry.contentRect.width, entry.contentRect.height);
      resized();
    });
    observer.observe(holder);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  resize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
  }

  /** Clear, and draw in CSS pixels from here on. */
  begin(): CanvasRenderingContext2D {
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.context.clearRect(0, 0, this.width, this.height);
    return this.context;
  }

  /** Where a pointer is, in CSS pixels of the canvas. */
  at(event: MouseEvent): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  describe(text: string): void {
    if (this.canvas.getAttribute("aria-label") !== text) this.canvas.setAttribute("aria-label", text);
  }
}

/** Pixels that are painted one by one and then drawn at any size. */
export class Bitmap {
  readonly canvas = document.createElement("canvas");
  private image = new ImageData(1, 1);
  pixels = new Uint32Array(this.image.data.buffer);

  /** Make it `width` by `height`; an unchanged size keeps the pixels. Returns whether the size changed. */
  fit(width: number, height: number): boolean {
    if (this.canvas.width === width && this.canvas.height === height && this.image.width === width) return false;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    return true;
  }

  /** Bring the painted pixels of columns `from` to `to` into the canvas. */
  flush(from = 0, to = this.image.width): void {
    if (to > from) this.canvas.getContext("2d")?.putImageData(this.image, 0, 0, from, 0, to - from, this.image.height);
  }
}
