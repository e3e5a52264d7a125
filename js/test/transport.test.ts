// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import transport from "../src/transport";
import { FakeModel, frame, show } from "./fakes";

let model: FakeModel;
let el: HTMLElement;
let remove: () => void;

const element = <T extends Element>(selector: string): T => el.querySelector(selector) as T;
const live = (fields: object): Promise<void> => (model.trigger("convis:live", { fields, arrays: {} }), frame());
const commands = (): unknown[] =>
  model.sent.filter((message) => (message as { type: string }).type === "command").map((m) => [(m as { name: string }).name, (m as { value: unknown }).value]);
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1150));
const press = (label: string): void => element<HTMLButtonElement>(`button[aria-label^="${label}"]`).click();
const text = (selector: string): string => element(selector).textContent ?? "";

beforeEach(async () => {
  model = new FakeModel({ seekable: true, cursor: null });
  ({ el, remove } = await show(transport, model));
});
afterEach(() => remove());

describe("buttons", () => {
  it("send their commands", () => {
    for (const button of el.querySelectorAll<HTMLButtonElement>(".convis-button")) button.click();
    expect(commands()).toEqual([["play", null], ["step", null], ["stop", null], ["restart", null]]);
  });

  it("the first one pauses while playing, and says so", async () => {
    await live({ state: "playing" });
    const play = element<HTMLButtonElement>(".convis-primary");
    expect(play.getAttribute("aria-label")).toBe("Pause (space)");
    play.click();
    expect(commands()).toEqual([["pause", null]]);
  });

  it("space toggles when the bar is focused, but not while a value is typed", () => {
    const press = (target: Element): boolean => target.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true }));
    press(element(".convis-chunk"));
    expect(commands()).toEqual([]);
    press(el);
    expect(commands()).toEqual([["play", null]]);
  });
});

describe("what it shows", () => {
  it("position, duration, rate and chunk", async () => {
    await live({ position_s: 3.25, duration_s: 8.5, rate: 4120, chunk_ms: 50, state: "playing" });
    expect(text(".convis-clock")).toBe("3.250 s of 8.500 s");
    expect(text(".convis-rate")).toBe("4\u2009120 frames/s");
    expect(element<HTMLInputElement>(".convis-chunk").value).toBe("50");
    expect(element<HTMLInputElement>(".convis-position").value).toBe(String(Math.round((3.25 / 8.5) * 10000)));
  });

  it("that the first chunk is being worked on, when it takes long", async () => {
    await live({ state: "playing", rate: 0 });
    expect(text(".convis-state")).toBe("playing");
    await aWhile();
    expect(text(".convis-state")).toBe("getting ready");
    await live({ rate: 900 });
    expect(text(".convis-state")).toBe("playing");
    await live({ state: "paused", rate: 0 });
    await aWhile();
    expect(text(".convis-state")).toBe("paused");
  });

  it("that an order waits for the chunk at work, when it takes long", async () => {
    await live({ state: "playing", rate: 0 });
    await aWhile();
    press("Stop");
    await frame();
    expect(text(".convis-state")).toBe("stopping"); // at once: the person has waited already
    await live({ rate: 900 }); // the chunk that was at work
    expect(text(".convis-state")).toBe("stopping");
    await live({ state: "stopped" });
    expect(text(".convis-state")).toBe("stopped");
  });

  it("that one chunk is being worked on, until it has come or failed", async () => {
    for (const end of [{ state: "paused" }, { state: "failed", error: { message: "No film.", remedy: "" } }, { error: { message: "Closed.", remedy: "" } }]) {
      press("One chunk");
      await live({ error: null }); // how the kernel answers at once
      await aWhile();
      expect(text(".convis-state")).toBe("getting ready");
      await live(end);
      expect(text(".convis-state")).not.toBe("getting ready");
    }
  });

  it("nothing of an order that is done at once, or that had nothing to end", async () => {
    await live({ state: "playing", rate: 900 });
    press("Pause");
    await frame();
    expect(text(".convis-state")).toBe("playing");
    await live({ state: "paused" });
    press("Stop");
    await aWhile();
    expect(text(".convis-state")).toBe("paused");
  });

  it("an endless run has no position to seek", async () => {
    await live({ position_s: 3.25, duration_s: null });
    expect(text(".convis-clock")).toBe("3.250 s");
    expect(element<HTMLInputElement>(".convis-position").disabled).toBe(true);
  });

  it("an error with its remedy, as text, until it is cleared", async () => {
    const strip = element<HTMLElement>(".convis-error");
    await live({ error: { message: "<b>film.mp4</b> is cut short.", remedy: "Copy it again." } });
    expect(strip.hidden).toBe(false);
    expect(strip.getAttribute("role")).toBe("alert");
    expect(strip.textContent).toContain("<b>film.mp4</b> is cut short.");
    expect(strip.textContent).toContain("Copy it again.");
    await live({ error: null });
    expect(strip.hidden).toBe(true);
  });
});

describe("settings", () => {
  const change = (selector: string, value: string): void => {
    const input = element<HTMLInputElement>(selector);
    input.value = value;
    input.dispatchEvent(new Event("change"));
  };

  it("seeking sends seconds", async () => {
    await live({ duration_s: 8 });
    change(".convis-position", "2500");
    expect(commands()).toEqual([["seek", 2]]);
  });

  it("chunk length in ms; nonsense is put back", async () => {
    await live({ chunk_ms: 50 });
    change(".convis-chunk", "20");
    change(".convis-chunk", "-3");
    expect(commands()).toEqual([["chunk", 20]]);
    expect(element<HTMLInputElement>(".convis-chunk").value).toBe("50");
  });

  it("speed as a multiple of real time, or none", () => {
    change(".convis-select", "0.5");
    change(".convis-select", "");
    expect(commands()).toEqual([["speed", 0.5], ["speed", null]]);
  });
});
