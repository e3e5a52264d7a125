import { describe, expect, it } from "vitest";
import { editable, grouped, short, signed, ticks } from "../src/format";

it("groups digits by thin spaces", () => {
  expect([7, 999, 4120, 31204, 1234567].map(grouped)).toEqual(["7", "999", "4\u2009120", "31\u2009204", "1\u2009234\u2009567"]);
});

it.each([[0, "0"], [0.43, "0.43"], [123456, "123456"], [0.0123456, "0.0123"], [1e-7, "1.00e-7"], [2e9, "2.00e9"], [NaN, "not a number"]])(
  "writes %d short",
  (value, text) => expect(short(value)).toBe(text),
);

it("writes signs where scales are signed", () => {
  expect([0.8, 0, -0.8].map(signed)).toEqual(["+0.8", "0", "\u22120.8"]);
});

describe("editable", () => {
  it.each([[0.05, "0.050"], [0.8, "0.800"], [5, "5.00"], [10, "10.0"], [100, "100"], [0.1234, "0.1234"], [0.00002, "2.000e-5"]])(
    "writes %d for a field",
    (value, text) => expect(editable(value)).toBe(text),
  );

  it("never changes a value by more than its fourth digit", () => {
    for (let i = 0; i < 500; i++) {
      const value = (Math.random() - 0.5) * 10 ** (12 * Math.random() - 6);
      expect(Math.abs(Number(editable(value)) - value)).toBeLessThanOrEqual(1e-3 * Math.abs(value));
    }
  });
});

describe("ticks", () => {
  it("are round and inside", () => expect(ticks(0, 8.5, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]));
  it("bear no rounding errors", () => expect(ticks(0.1, 0.7, 6)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]));
  it("are never many more than asked for", () => {
    for (let i = 0; i < 200; i++) {
      const lo = Math.random() * 100;
      expect(ticks(lo, lo + 10 ** (4 * Math.random() - 2), 8).length).toBeLessThanOrEqual(9);
    }
  });
  it("survive a range of nothing", () => expect(ticks(1, 1, 5)).toEqual([1]));
});
