// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import panel from "../src/panel";
import type { Parameter } from "../src/panel-row";
import { FakeModel, frame, show } from "./fakes";

const parameter = (name: string, more: Partial<Parameter> = {}): Parameter => ({
  name,
  group: "Receptive field",
  label: name,
  unit: "deg",
  value: 0.5,
  default: 0.5,
  lo: 0,
  hi: 1,
  scale: "linear",
  doc: `what ${name} does`,
  ...more,
});

let model: FakeModel;
let el: HTMLElement;
let remove: () => void;

const element = <T extends Element>(selector: string): T => el.querySelector(selector) as T;
const slider = (): HTMLInputElement => element(".convis-slider");
const field = (): HTMLInputElement => element(".convis-row .convis-field");
const live = (fields: object): Promise<void> => (model.trigger("convis:live", { fields, arrays: {} }), frame());
const messages = (): unknown[] => model.sent.filter((message) => (message as { type: string }).type === "set");

function drag(position: number): void {
  slider().value = String(position);
  slider().dispatchEvent(new Event("input"));
}

function type(text: string): void {
  field().value = text;
  field().dispatchEvent(new Event("change"));
}

beforeEach(async () => {
  const rows = [parameter("sigma"), parameter("tau", { group: "Ganglion", unit: "s", value: 0.7, doc: "membrane time constant" })];
  model = new FakeModel({ rows, title: "Parameters", cursor: null });
  ({ el, remove } = await show(panel, model));
});
afterEach(() => remove());

describe("the panel", () => {
  it("asks for the present state when it is loaded", () => expect(model.sent).toContainEqual({ type: "hello" }));

  it("has a group a layer and a row a parameter, with name, unit and doc", () => {
    expect([...el.querySelectorAll("summary")].map((e) => e.textContent)).toEqual(["Receptive field", "Ganglion"]);
    expect(element("label").textContent).toBe("sigma deg");
    expect(element(".convis-row").getAttribute("title")).toBe("what sigma does");
    const described = (field().getAttribute("aria-describedby") ?? "").split(" ").map((id) => el.querySelector(`#${id}`)?.textContent);
    expect(described).toContain("what sigma does");
  });

  it("never takes text for markup", async () => {
    model.set("rows", [parameter("<img src=x onerror=alert(1)>")]);
    await frame();
    expect(el.querySelector("img")).toBeNull();
    expect(element("label").textContent).toContain("<img");
  });

  it("finds rows by any of their words and says when there is none", () => {
    const search = element<HTMLInputElement>(".convis-search");
    const look = (text: string): boolean[] => {
      search.value = text;
      search.dispatchEvent(new Event("input"));
      return [...el.querySelectorAll<HTMLElement>(".convis-row")].map((row) => !row.hidden);
    };
    expect(look("membrane")).toEqual([false, true]);
    expect(look("receptive SIG")).toEqual([true, false]);
    expect(look("nothing like it")).toEqual([false, false]);
    expect(element<HTMLElement>(".convis-nothing").hidden).toBe(false);
    expect(look("")).toEqual([true, true]);
  });
});

describe("dragging", () => {
  it("sends the first value without waiting for a frame, and of those in a frame the last", async () => {
    drag(600);
    await Promise.resolve();
    expect(messages()).toEqual([{ type: "set", values: { sigma: 0.6 } }]);
    drag(700);
    await Promise.resolve();
    drag(800);
    await Promise.resolve();
    expect(messages()).toHaveLength(1);
    await frame();
    expect(messages().slice(1)).toEqual([{ type: "set", values: { sigma: 0.8 } }]);
  });

  it("shows the value at once", () => {
    drag(250);
    expect(field().value).toBe("0.250");
  });

  it("is not disturbed by an answer to an earlier value", async () => {
    drag(800);
    await live({ values: { sigma: 0.6 } });
    expect(field().value).toBe("0.800");
  });
});

describe("typing", () => {
  it("sends a number, also one beyond the slider", async () => {
    type("2,5");
    await frame();
    expect(messages()).toEqual([{ type: "set", values: { sigma: 2.5 } }]);
    expect(slider().value).toBe("1000");
  });

  it("of nonsense keeps the old value and says why", async () => {
    type("wide");
    await frame();
    expect(messages()).toEqual([]);
    expect(field().value).toBe("0.500");
    expect(element(".convis-reason").textContent).toContain("wide");
    expect(field().getAttribute("aria-invalid")).toBe("true");
  });

  it("of a value the kernel refuses goes back and shows the reason, until the next one", async () => {
    type("-1");
    await live({ values: { sigma: 0.5 }, errors: { sigma: "sigma must be above 0 deg." } });
    expect(field().value).toBe("0.500");
    expect(element(".convis-reason").textContent).toBe("sigma must be above 0 deg.");
    type("0.4");
    expect(element<HTMLElement>(".convis-reason").hidden).toBe(true);
  });
});

describe("defaults", () => {
  const dots = (): boolean[] => [...el.querySelectorAll(".convis-dot")].map((dot) => dot.classList.contains("convis-on"));

  it("a dot marks what differs from them", () => expect(dots()).toEqual([false, true]));

  it("the dot resets its row", async () => {
    [...el.querySelectorAll<HTMLButtonElement>(".convis-dot")][1]?.click();
    await frame();
    expect(messages()).toEqual([{ type: "set", values: { tau: 0.5 } }]);
    expect(dots()).toEqual([false, false]);
  });

  it("one button resets all that differ, in one message", async () => {
    drag(100);
    await frame();
    element<HTMLButtonElement>(".convis-reset").click();
    await frame();
    expect(messages().at(-1)).toEqual({ type: "set", values: { sigma: 0.5, tau: 0.5 } });
  });
});

it("of a model without a single number says so, and offers nothing to search or reset", async () => {
  ({ el } = await show(panel, new FakeModel({ rows: [], title: "Parameters", cursor: null })));
  expect(element(".convis-nothing").textContent).toBe("None of its parameters is a single number.");
  expect([".convis-search", ".convis-reset", ".convis-nothing"].map((part) => element<HTMLElement>(part).hidden)).toEqual([true, true, false]);
});

it("shows what the kernel sets, in a display that comes later too", async () => {
  await live({ values: { sigma: 0.9, tau: 0.1 } });
  expect(field().value).toBe("0.900");
  expect(slider().getAttribute("aria-valuetext")).toBe("0.900 deg");
});
