// Where things lie inside a rectangle.

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The largest box of the content's aspect inside `width` by `height`, centred. */
export function contain(width: number, height: number, contentWidth: number, contentHeight: number): Box {
  const scale = Math.min(width / contentWidth, height / contentHeight);
  const [w, h] = [contentWidth * scale, contentHeight * scale];
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

/** The box without a margin all round. */
export const inset = ({ x, y, width, height }: Box, margin: number): Box => ({ x: x + margin, y: y + margin, width: width - 2 * margin, height: height - 2 * margin });

/** The cell `[row, column]` of a `rows` by `columns` grid in `box` under a point, or null. */
export function cellAt(box: Box, rows: number, columns: number, x: number, y: number): [number, number] | null {
  const row = Math.floor(((y - box.y) / box.height) * rows);
  const column = Math.floor(((x - box.x) / box.width) * columns);
  return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
}

/** The box of one cell, or of a block of cells that starts there. */
export function cellBox(box: Box, rows: number, columns: number, row: number, column: number, nRows = 1, nColumns = 1): Box {
  const [w, h] = [box.width / columns, box.height / rows];
  return { x: box.x + column * w, y: box.y + row * h, width: nColumns * w, height: nRows * h };
}

/** Centre of a kernel of length `k`: an even one reaches one further to the far side. */
export const centre = (k: number): number => Math.floor((k - 1) / 2);

export interface Tiling {
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
  gap: number;
  x: number;
  y: number;
}

/** Arrange `n` tiles of `width` by `height` pixels, as large as they can be; among nearly equal ones, the fullest grid. */
export function tile(n: number, width: number, height: number, box: Box, gap = 1): Tiling {
  let best: Tiling | null = null;
  let bestScore = -Infinity;
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns);
    const scale = Math.min((box.width - gap * (columns - 1)) / (columns * width), (box.height - gap * (rows - 1)) / (rows * height));
    const score = scale * (1 - 0.5 * (1 - n / (rows * columns)));
    if (score <= bestScore) continue;
    bestScore = score;
    const [tileWidth, tileHeight] = [Math.max(1, width * scale), Math.max(1, height * scale)];
    const x = box.x + (box.width - columns * tileWidth - gap * (columns - 1)) / 2;
    const y = box.y + (box.height - rows * tileHeight - gap * (rows - 1)) / 2;
    best = { columns, rows, tileWidth, tileHeight, gap, x, y };
  }
  return best ?? { columns: 1, rows: 1, tileWidth: box.width, tileHeight: box.height, gap, x: box.x, y: box.y };
}

export function tileBox(tiling: Tiling, index: number): Box {
  const { columns, tileWidth, tileHeight, gap, x, y } = tiling;
  const [row, column] = [Math.floor(index / columns), index % columns];
  return { x: x + column * (tileWidth + gap), y: y + row * (tileHeight + gap), width: tileWidth, height: tileHeight };
}

/** Index of the tile under a point, or null. */
export function tileAt(tiling: Tiling, n: number, px: number, py: number): number | null {
  const column = Math.floor((px - tiling.x) / (tiling.tileWidth + tiling.gap));
  const row = Math.floor((py - tiling.y) / (tiling.tileHeight + tiling.gap));
  const index = row * tiling.columns + column;
  return column >= 0 && column < tiling.columns && row >= 0 && index < n ? index : null;
}

export const clamp = (value: number, lo: number, hi: number): number => Math.max(lo, Math.min(hi, value));
