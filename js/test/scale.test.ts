import { describe, expect, it } from "vitest";
import { parseNumber, toPosition, toValue, type Range } from "../src/scale";

const linear: Range = { lo: -1, hi: 3, scale: "linear" };
const log: Range = { lo: 0.001, hi: 10, scale: "log" };

describe.each([["linear", linear], ["log", log]] as const)("a %s slider", (_, range) => {
  it("has its ends at the bounds, exactly", () => expect([toValue(0, range), toValue(1, range)]).toEqual([range.lo, range.hi]));
  it("goes there and back", () => {
    for (const position of [0.1, 0.25, 0.5, 0.9]) expect(toPosition(toValue(position, range), range)).toBeCloseTo(position, 2);
  });
  it("stands at its end for what lies outside", () => {
    expect(toPosition(1e6, range)).toBe(1);
    expect(toPosition(-1e6, range)).toBe(0);
  });
});

it("a log slider gives each decade the same room", () => {
  expect([0.001, 0.01, 0.1, 1, 10].map((v) => toPosition(v, log))).toEqual([0, 0.25, 0.5, 0.75, 1].map((v) => expect.closeTo(v)));
});

it("a step is kept to", () => expect(toValue(0.52, { lo: 0, hi: 10, scale: "linear", step: 1 })).toBe(5));

it.each([["0.5", 0.5], [" 1,5 ", 1.5], ["\u22122", -2], ["1e-3", 0.001], ["", null], ["abc", null], ["1 2", null], ["Infinity", null]])(
  "reads %o as a number or not",
  (text, value) => expect(parseNumber(text)).toBe(value),
);
