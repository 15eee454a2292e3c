import type { CellType } from "../wire/types";

/** A cell's number is its place among the cells that run; text has none. */
export function numbersOf(order: readonly string[], typeOf: (id: string) => CellType): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const id of order) if (typeOf(id) !== "markdown") numbers.set(id, numbers.size + 1);
  return numbers;
}

export function cellLabel(numbers: ReadonlyMap<string, number>, id: string): string {
  const number = numbers.get(id);
  return number === undefined ? "a text cell" : `cell ${number}`;
}
