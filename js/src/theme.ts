// The notebook's theme: is it dark, and what are its colours. All colours live in convis.css; code reads them here.

export type Rgb = readonly [number, number, number];

const NAMES = ["card", "ink", "muted", "grid", "border", "accent", "select", "on", "off", "negative", "positive"] as const;
export type ColourName = (typeof NAMES)[number];
export type Palette = Record<ColourName, string>;

const parsed = new Map<string, Rgb>();
let pixel: CanvasRenderingContext2D | null = null;

/** Red, green, blue (0-255) of any CSS colour, `color-mix()` included: the browser paints it and we look. */
export function rgb(colour: string): Rgb {
  const known = parsed.get(colour);
  if (known !== undefined) return known;
  pixel ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  if (pixel === null) return [128, 128, 128];
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = pixel.getImageData(0, 0, 1, 1).data;
  parsed.set(colour, [red, green, blue]);
  return [red, green, blue];
}

/** The colours as they are now. */
export function palette(el: Element): Palette {
  const style = getComputedStyle(el);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--cv-${name}`).trim()])) as Palette;
}

/** Whether the page is dark: by the notebook's own background, or by the system where there is no notebook theme. */
export function isDark(): boolean {
  const background = getComputedStyle(document.body).getPropertyValue("--jp-layout-color1").trim();
  if (background === "") return matchMedia("(prefers-color-scheme: dark)").matches;
  const [red, green, blue] = rgb(background);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** Mark the document as light or dark for convis.css, now and at every switch; `changed` runs after a switch. */
export function followTheme(signal: AbortSignal, changed: () => void): void {
  const root = document.documentElement;
  let last = "";
  const update = (): void => {
    root.dataset["convisTheme"] = isDark() ? "dark" : "light";
    const now = JSON.stringify(palette(root));
    if (last !== "" && now !== last) changed();
    last = now;
  };
  // a notebook names the new theme before its stylesheet has loaded
  const soon = (): void => [0, 150, 600].forEach((delay) => setTimeout(() => signal.aborted || update(), delay));
  const observer = new MutationObserver(soon);
  const attributes = ["class", "data-jp-theme-light", "data-jp-theme-name"];
  observer.observe(document.body, { attributes: true, attributeFilter: attributes });
  observer.observe(root, { attributes: true, attributeFilter: [...attributes, "data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  update();
  soon();
}
