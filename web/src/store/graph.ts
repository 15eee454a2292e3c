import type { Cell } from "../wire/types";

type Node = Pick<Cell, "id" | "reads" | "writes">;

/** Which cells write a name, by name. */
export function writersOf(cells: Iterable<Node>): Map<string, string[]> {
  const writers = new Map<string, string[]>();
  for (const cell of cells) {
    for (const name of cell.writes) writers.set(name, [...(writers.get(name) ?? []), cell.id]);
  }
  return writers;
}

/** For each cell the cells that read what it writes. */
export function dependentsOf(cells: readonly Node[]): Map<string, Set<string>> {
  const writers = writersOf(cells);
  const dependents = new Map<string, Set<string>>();
  for (const cell of cells) {
    for (const name of cell.reads) {
      for (const writer of writers.get(name) ?? []) {
        if (writer === cell.id) continue;
        let set = dependents.get(writer);
        if (!set) dependents.set(writer, (set = new Set()));
        set.add(cell.id);
      }
    }
  }
  return dependents;
}

/** The cell itself and everything that depends on it, however far; cycles end the walk. */
export function descendantsOf(start: string, cells: readonly Node[]): Set<string> {
  const dependents = dependentsOf(cells);
  const found = new Set([start]);
  for (const id of found) for (const next of dependents.get(id) ?? []) found.add(next);
  return found;
}
