// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it } from "vitest";
import { followTurns } from "../src/turn";

let [first, second] = [new AbortController(), new AbortController()];
let dragged: [string, number, number][] = [];

beforeEach(() => {
  [first, second, dragged] = [new AbortController(), new AbortController(), []];
  const cube = '<div class="convis-head"></div><div role="img" tabindex="0"><canvas></canvas></div>';
  document.body.innerHTML = `<div class="convis-volume">${cube}</div><div class="convis-curves">${cube}</div>`;
  for (const canvas of document.querySelectorAll("canvas")) {
    canvas.getBoundingClientRect = () => new DOMRect(100, 200, 200, 200);
    for (const kind of ["mousedown", "mousemove", "mouseup"] as const)
      canvas.addEventListener(kind, (event) => dragged.push([kind, event.clientX, event.clientY]));
  }
});
afterEach(() => [first, second].forEach((controller) => controller.abort()));

const press = (key: string, card = "volume"): boolean => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  document.querySelector(`.convis-${card} [role=img]`)?.dispatchEvent(event);
  return event.defaultPrevented;
};

it("drags the cube once for each key, however many hubs there are", () => {
  followTurns(first.signal);
  followTurns(second.signal);
  expect(press("ArrowRight")).toBe(true); // so that the page does not scroll
  expect(dragged).toEqual([["mousedown", 200, 300], ["mousemove", 202.8, 300], ["mouseup", 202.8, 300]]);
  press("ArrowUp");
  expect(dragged.slice(3)).toEqual([["mousedown", 200, 300], ["mousemove", 200, 297.2], ["mouseup", 200, 297.2]]);
});

it("leaves other keys and other plots alone, and everything when the hub has gone", () => {
  followTurns(first.signal);
  expect([press("Tab"), press("a"), press("ArrowLeft", "curves")]).toEqual([false, false, false]);
  first.abort();
  expect(press("ArrowLeft")).toBe(false);
  expect(dragged).toEqual([]);
});
