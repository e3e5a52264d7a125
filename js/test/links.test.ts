import { describe, expect, it } from "vitest";
import { followLinks, mapped, type Link } from "../src/links";
import { FakeModel } from "./fakes";

const link: Link = { source: "s", attr: "a", target: "t", to: "b" };

describe("mapped", () => {
  it("passes a value on", () => expect(mapped(link, 3)).toBe(3));
  it("takes an element of an array", () => expect(mapped({ ...link, item: 1 }, new Float32Array([4, 5]))).toBe(5));
  it("scales, then shifts", () => expect(mapped({ ...link, scale: 10, offset: 1 }, 2)).toBe(21));
  it("repeats a number into both ends of a line", () => expect(mapped({ ...link, repeat: 2 }, 7)).toEqual(new Float64Array([7, 7])));
  it("leaves the target alone when there is nothing", () => expect(mapped({ ...link, item: 0 }, null)).toBeUndefined());
  it("falls back to what was agreed", () => expect(mapped({ ...link, item: 0, otherwise: 8.5 }, null)).toBe(8.5));
  it("repeats what it falls back to, for a line has two ends there, too", () =>
    expect(mapped({ ...link, repeat: 2, scale: 10, otherwise: -1 }, null)).toEqual(new Float64Array([-1, -1])));
  it("can fall back to null, which frees a scale", () => expect(mapped({ ...link, otherwise: null }, null)).toBeNull());
});

describe("followLinks", () => {
  const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

  it("connects, rewires when the links change, and ends with the widget", async () => {
    const models: Record<string, FakeModel> = { s: new FakeModel(), t: new FakeModel(), u: new FakeModel() };
    const hub = new FakeModel({ links: [link] });
    const controller = new AbortController();
    followLinks(hub, async (id) => models[id] as FakeModel, controller.signal);
    await wait();
    models["s"]?.set("a", 1);
    expect(models["t"]?.get("b")).toBe(1);
    expect(models["t"]?.saves).toBe(0);

    hub.set("links", [{ ...link, target: "u", save: true }]);
    await wait();
    models["s"]?.set("a", 2);
    expect(models["t"]?.get("b")).toBe(1);
    expect(models["u"]?.get("b")).toBe(2);
    expect(models["u"]?.saves).toBe(1);

    controller.abort();
    models["s"]?.set("a", 3);
    expect(models["u"]?.get("b")).toBe(2);
  });
});
