// From a tick's headers and buffers to typed arrays.
import type { Fields, NumericArray, Numbers } from "./types";

export interface ArrayHeader {
  name: string;
  dtype: string;
  shape: number[];
  append: boolean;
  buffer: number;
}

export interface PartHeader {
  to: string;
  kind: "live" | "set";
  fields: Fields;
  arrays: ArrayHeader[];
}

const CONSTRUCTORS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
} as const;

/** Copy, for a buffer inside a message starts at any byte, and bqplot sends back the whole of an array's buffer. */
export function decodeArray(header: ArrayHeader, view: DataView): NumericArray {
  const constructor = CONSTRUCTORS[header.dtype as keyof typeof CONSTRUCTORS];
  if (constructor === undefined) throw new Error(`Cannot draw an array of ${header.dtype}; send one of ${Object.keys(CONSTRUCTORS)}.`);
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
  return { data: new constructor(bytes), shape: header.shape, append: header.append };
}

export function decodeArrays(part: PartHeader, buffers: DataView[]): Record<string, NumericArray> {
  const arrays: Record<string, NumericArray> = {};
  for (const header of part.arrays) {
    const view = buffers[header.buffer];
    if (view === undefined) throw new Error(`The buffer of ${header.name} is missing from the message.`);
    arrays[header.name] = decodeArray(header, view);
  }
  return arrays;
}

/** The form in which bqplot keeps an array: typed when flat, a list of typed rows when it has two axes. */
export function foreignArray({ data, shape }: NumericArray): Numbers | Numbers[] {
  if (shape.length < 2) return data;
  const [rows = 0, columns = 0] = shape;
  return Array.from({ length: rows }, (_, row) => data.slice(row * columns, (row + 1) * columns));
}
