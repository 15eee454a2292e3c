import { dependentsOf } from "../store/graph";
import type { Cell } from "../wire/types";

export interface Placed {
  id: string;
  label: string;
  x: number;
  y: number;
}

export interface Drawing {
  nodes: Placed[];
  edges: { from: Placed; to: Placed }[];
  width: number;
  height: number;
}

export const NODE_WIDTH = 84;
export const NODE_HEIGHT = 30;
const COLUMN = 96;
const ROW = 66;
const MARGIN = 10;
const COLUMNS_MAX = 3;

/** How many steps a cell is from the cells that depend on nothing; cells in a cycle count what can be counted. */
function depthsOf(cells: readonly Cell[], dependents: Map<string, Set<string>>): Map<string, number> {
  const depths = new Map(cells.map((cell) => [cell.id, 0]));
  const waiting = new Map(cells.map((cell) => [cell.id, 0]));
  for (const targets of dependents.values()) for (const id of targets) waiting.set(id, (waiting.get(id) ?? 0) + 1);
  const ready = cells.filter((cell) => waiting.get(cell.id) === 0).map((cell) => cell.id);
  for (const id of ready) {
    for (const next of dependents.get(id) ?? []) {
      depths.set(next, Math.max(depths.get(next) ?? 0, (depths.get(id) ?? 0) + 1));
      const left = (waiting.get(next) ?? 1) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return depths;
}

/** Rows of at most three: a wide layer takes several, so that labels stay legible in a narrow panel. */
function rowsOf(cells: readonly Cell[], depths: Map<string, number>): Cell[][] {
  const layers = new Map<number, Cell[]>();
  for (const cell of cells) {
    const depth = depths.get(cell.id) ?? 0;
    layers.set(depth, [...(layers.get(depth) ?? []), cell]);
  }
  return [...layers.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([, layer]) =>
      Array.from({ length: Math.ceil(layer.length / COLUMNS_MAX) }, (_, index) =>
        layer.slice(index * COLUMNS_MAX, (index + 1) * COLUMNS_MAX),
      ),
    );
}

/** Places cells below what they depend on, in page order within a layer. */
export function drawingOf(cells: readonly Cell[], labelOf: (cell: Cell) => string): Drawing {
  const dependents = dependentsOf(cells);
  const rows = rowsOf(cells, depthsOf(cells, dependents));
  const width = Math.max(1, ...rows.map((row) => row.length)) * COLUMN + 2 * MARGIN;
  const placed = new Map<string, Placed>();
  rows.forEach((row, index) => {
    const start = (width - row.length * COLUMN) / 2;
    row.forEach((cell, column) => {
      placed.set(cell.id, {
        id: cell.id,
        label: labelOf(cell),
        x: start + column * COLUMN + COLUMN / 2,
        y: MARGIN + NODE_HEIGHT / 2 + index * ROW,
      });
    });
  });
  const edges = [...dependents].flatMap(([from, targets]) =>
    [...targets].flatMap((to) => {
      const [a, b] = [placed.get(from), placed.get(to)];
      return a && b ? [{ from: a, to: b }] : [];
    }),
  );
  return { nodes: [...placed.values()], edges, width, height: 2 * MARGIN + NODE_HEIGHT + (rows.length - 1) * ROW };
}
