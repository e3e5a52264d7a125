// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followTheme, isDark, palette } from "../src/theme";

const root = document.documentElement;
let systemIsDark = false;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("matchMedia", () => ({ matches: systemIsDark, addEventListener: () => undefined }));
  // the browser would paint the colour; here its grey level is written in its name
  const context = { fillStyle: "", clearRect: () => undefined, fillRect: () => undefined, getImageData: () => ({ data: Array(4).fill(parseInt(context.fillStyle.slice(1, 3), 16)) }) };
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as never);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  document.body.removeAttribute("style");
  root.removeAttribute("style");
  delete root.dataset["convisTheme"];
});

const notebook = (background: string): void => document.body.style.setProperty("--jp-layout-color1", background);

describe("a page is dark", () => {
  it("when the notebook's own background is", () => {
    systemIsDark = false;
    notebook("#212121");
    expect(isDark()).toBe(true);
    notebook("#ffffff");
    expect(isDark()).toBe(false);
  });

  it("when the system says so and there is no notebook theme", () => {
    systemIsDark = true;
    expect(isDark()).toBe(true);
    systemIsDark = false;
    expect(isDark()).toBe(false);
  });
});

describe("following the theme", () => {
  it("marks the document for the style sheet, and again after a switch, when the colours have arrived late", async () => {
    notebook("#ffffff");
    const controller = new AbortController();
    const changed = vi.fn();
    followTheme(controller.signal, changed);
    expect(root.dataset["convisTheme"]).toBe("light");

    document.body.dataset["jpThemeLight"] = "false"; // the name comes first,
    await vi.advanceTimersByTimeAsync(10);
    notebook("#111111"); // the style sheet later
    root.style.setProperty("--cv-card", "#111111");
    await vi.advanceTimersByTimeAsync(1000);
    expect(root.dataset["convisTheme"]).toBe("dark");
    expect(changed).toHaveBeenCalledOnce();
    expect(palette(root).card).toBe("#111111");
    controller.abort();
  });

  it("ends with its widget", async () => {
    notebook("#ffffff");
    const controller = new AbortController();
    followTheme(controller.signal, () => undefined);
    controller.abort();
    notebook("#111111");
    document.body.dataset["jpThemeLight"] = "true";
    await vi.advanceTimersByTimeAsync(1000);
    expect(root.dataset["convisTheme"]).toBe("light");
  });
});
