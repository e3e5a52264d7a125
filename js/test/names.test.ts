// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followNames } from "../src/names";

const card = (kind: string, title: string, inside: string): string =>
  `<div class="${kind}"><div class="convis-head"><b>${title}</b><span>pixel 3</span></div><div class="plot">${inside}</div></div>`;
const page = (html: string): void => document.body.insertAdjacentHTML("beforeend", html);
const named = (plot: Element | undefined): string | null | undefined => document.getElementById(plot?.getAttribute("aria-labelledby") ?? "")?.textContent;
const plots = (): Element[] => [...document.querySelectorAll(".plot")];
let controller: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
});
afterEach(() => {
  controller.abort();
  vi.useRealTimers();
  document.body.replaceChildren();
});

const later = (): Promise<unknown> => vi.advanceTimersByTimeAsync(600);

describe("a plot that is not ours", () => {
  it("is a picture named by its header, each by its own, also when it comes later", async () => {
    page(card("convis-curves", "Loss", "<svg></svg>"));
    followNames(controller.signal);
    await later();
    page(card("convis-volume", "Kernel", "<canvas></canvas>"));
    await later();
    expect(plots().map((plot) => [plot.getAttribute("role"), named(plot)])).toEqual([
      ["img", "Losspixel 3"],
      ["img", "Kernelpixel 3"],
    ]);
  });

  it("stays as it is where it is no picture but a text", async () => {
    page(card("convis-volume", "Kernel", "Install ipyvolume"));
    followNames(controller.signal);
    await later();
    expect(plots()[0]?.hasAttribute("role")).toBe(false);
    plots()[0]?.append(document.createElement("canvas")); // built late
    await later();
    expect(plots()[0]?.getAttribute("role")).toBe("img");
  });

  it("is left in peace when the hub has gone", async () => {
    followNames(controller.signal);
    controller.abort();
    page(card("convis-curves", "Loss", "<svg></svg>"));
    await later();
    expect(plots()[0]?.hasAttribute("role")).toBe(false);
  });
});

it("the handle of the notebook's slider is named by its label", async () => {
  page('<div class="convis-dashboard"><div class="widget-slider"><label class="widget-label">rate</label><div role="slider"></div></div></div>');
  followNames(controller.signal);
  await later();
  expect(document.querySelector("[role=slider]")?.getAttribute("aria-label")).toBe("rate");
});

it("a field of the notebook is named by its title", async () => {
  page('<div class="convis-dashboard"><label></label><select title="What the model sees"></select></div><select title="another"></select>');
  followNames(controller.signal);
  await later();
  const fields = [...document.querySelectorAll("select")];
  expect(fields.map((field) => field.getAttribute("aria-label"))).toEqual(["What the model sees", null]);
});
