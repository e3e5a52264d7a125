import { describe, expect, it } from "vitest";
import { cellAt, cellBox, centre, contain, tile, tileAt, tileBox } from "../src/geometry";

const area = { x: 0, y: 0, width: 500, height: 200 };

describe("contain", () => {
  it("keeps the aspect and centres", () => expect(contain(200, 100, 50, 50)).toEqual({ x: 50, y: 0, width: 100, height: 100 }));
});

describe("cells", () => {
  const box = { x: 10, y: 20, width: 80, height: 40 };
  it("are found by row (down) and column (right), as in matshow", () => expect(cellAt(box, 4, 8, 10 + 35, 20 + 15)).toEqual([1, 3]));
  it("are none outside", () => expect(cellAt(box, 4, 8, 9, 25)).toBeNull());
  it("and their boxes agree", () => {
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 8; column++) {
        const cell = cellBox(box, 4, 8, row, column);
        expect(cellAt(box, 4, 8, cell.x + cell.width / 2, cell.y + cell.height / 2)).toEqual([row, column]);
      }
    }
  });
});

it("an even kernel reaches one further to the far side", () => {
  expect([1, 2, 3, 4, 20, 21].map(centre)).toEqual([0, 0, 1, 1, 9, 10]);
});

describe("tile", () => {
  it("lays 40 square tiles into a wide area as 10 by 4", () => {
    expect(tile(40, 21, 21, area, 2)).toMatchObject({ columns: 10, rows: 4 });
  });

  it.each([1, 2, 7, 12, 40, 400])("keeps %i tiles inside the area, apart from each other, with their aspect", (n) => {
    const tiling = tile(n, 20, 10, area);
    const boxes = Array.from({ length: n }, (_, i) => tileBox(tiling, i));
    for (const [i, box] of boxes.entries()) {
      expect(box.x).toBeGreaterThanOrEqual(-1e-6);
      expect(box.y).toBeGreaterThanOrEqual(-1e-6);
      expect(box.x + box.width).toBeLessThanOrEqual(500 + 1e-6);
      expect(box.y + box.height).toBeLessThanOrEqual(200 + 1e-6);
      expect(box.width / box.height).toBeCloseTo(2);
      expect(tileAt(tiling, n, box.x + box.width / 2, box.y + box.height / 2)).toBe(i);
    }
  });

  it("has no tile beyond the last", () => {
    const tiling = tile(7, 10, 10, area);
    const last = tileBox(tiling, 7);
    expect(tileAt(tiling, 7, last.x + 1, last.y + 1)).toBeNull();
  });
});
