// Names for a screen reader of what is not ours and has none: plots say what stands above them, fields their title.

/** A plot in a card: the part below the header. */
const PLOTS = ".convis-curves > .convis-head + *, .convis-volume > .convis-head + *";
/** The notebook's fields have an empty label that hides their title, and its sliders a label that is not theirs. */
const FIELDS = ".convis-dashboard select[title]:not([aria-label])";
const HANDLES = ".convis-dashboard .widget-slider [role=slider]:not([aria-label])";
/** Displays come one by one, and a plot is built within a second; a name may be a little late. */
const PAUSE_MS = 250;

let serial = 0;

/** Name what is on the page now. */
export function name(page: ParentNode): void {
  for (const plot of page.querySelectorAll(PLOTS)) {
    const head = plot.previousElementSibling;
    if (head === null || plot.hasAttribute("role") || plot.querySelector("svg, canvas") === null) continue;
    head.id ||= `convis-head-${Math.random().toString(36).slice(2)}-${++serial}`; // other hubs on the page count, too
    plot.setAttribute("role", "img");
    if (plot.querySelector("canvas") !== null) plot.setAttribute("tabindex", "0"); // what can be turned
    plot.setAttribute("aria-labelledby", head.id); // so that the name says what is shown at the moment
  }
  for (const field of page.querySelectorAll(FIELDS)) field.setAttribute("aria-label", field.getAttribute("title") ?? "");
  for (const handle of page.querySelectorAll(HANDLES)) {
    handle.setAttribute("aria-label", handle.closest(".widget-slider")?.querySelector(".widget-label")?.textContent ?? "");
  }
}

/** Name what is on the page, and whatever comes to it until `signal` aborts. */
export function followNames(signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      name(document);
    }, PAUSE_MS);
  };
  const observer = new MutationObserver(soon);
  observer.observe(document.body, { childList: true, subtree: true });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    if (timer !== null) clearTimeout(timer);
  });
  soon();
}
