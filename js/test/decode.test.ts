import { describe, expect, it } from "vitest";
import { decodeArray, decodeArrays, foreignArray } from "../src/decode";
import { dataView } from "./fakes";

const header = (dtype: string, shape: number[]) => ({ name: "a", dtype, shape, append: false, buffer: 0 });

describe("decodeArray", () => {
  it("reads a buffer that starts at an odd byte of its message", () => {
    const view = dataView(new Float32Array([1.5, -2]).buffer, 3);
    expect([...decodeArray(header("float32", [2]), view).data]).toEqual([1.5, -2]);
  });

  it("owns its memory, so that sending it back sends nothing else", () => {
    const view = dataView(new Uint8Array([1, 2]).buffer, 5);
    expect(decodeArray(header("uint8", [2]), view).data.buffer.byteLength).toBe(2);
  });

  it("reads an array without elements", () => {
    expect(decodeArray(header("uint32", [0]), dataView(new ArrayBuffer(0))).data).toHaveLength(0);
  });

  it("names a type that it cannot draw", () => {
    expect(() => decodeArray(header("complex64", [1]), dataView(new ArrayBuffer(8)))).toThrow(/complex64.*float32/);
  });
});

it("says which buffer is missing", () => {
  const part = { to: "x", kind: "live" as const, fields: {}, arrays: [{ ...header("uint8", [1]), name: "frame", buffer: 2 }] };
  expect(() => decodeArrays(part, [])).toThrow(/frame/);
});

it("gives bqplot flat arrays as they are and others row by row", () => {
  const data = new Float64Array([1, 2, 3, 4, 5, 6]);
  expect(foreignArray({ data, shape: [6], append: false })).toBe(data);
  const rows = foreignArray({ data, shape: [2, 3], append: false }) as Float64Array[];
  expect(rows.map((row) => [...row])).toEqual([[1, 2, 3], [4, 5, 6]]);
});
