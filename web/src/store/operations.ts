import type { Cell, CellType, Request } from "../wire/types";

/** Requests whose effect the page shows before the server has acknowledged them, and keeps if it goes away. */
export type Operation = Extract<Request, { type: "insert_cell" | "delete_cell" | "move_cell" | "rename" }>;

export function isOperation(request: Request): request is Operation {
  return ["insert_cell", "delete_cell", "move_cell", "rename"].includes(request.type);
}

/** A cell whose deletion reached us while it held unsent text: kept in sight until its reader decides. */
export interface Ghost {
  cell: Cell;
  after: string | null;
}

export function placeAfter(order: readonly string[], id: string, after: string | null): string[] {
  const rest = order.filter((each) => each !== id);
  const anchor = after === null ? 0 : rest.indexOf(after) + 1;
  rest.splice(after !== null && anchor === 0 ? rest.length : anchor, 0, id);
  return rest;
}

/** The page order as the reader left it: the committed one, with what is on its way on top. */
export function orderWith(
  committed: readonly string[],
  operations: readonly Operation[],
  ghosts: ReadonlyMap<string, Ghost>,
): readonly string[] {
  let order = committed;
  for (const [id, ghost] of ghosts) {
    if (!order.includes(id)) order = placeAfter(order, id, ghost.after);
  }
  for (const operation of operations) {
    switch (operation.type) {
      case "insert_cell":
        if (!order.includes(operation.cell_id)) order = placeAfter(order, operation.cell_id, operation.after_cell_id);
        break;
      case "delete_cell":
        order = order.filter((id) => id !== operation.cell_id);
        break;
      case "move_cell":
        if (order.includes(operation.cell_id)) order = placeAfter(order, operation.cell_id, operation.after_cell_id);
        break;
      case "rename":
        break;
    }
  }
  return order;
}

/** A cell as it is before its first commit. */
export function freshCell(id: string, type: CellType, code: string): Cell {
  return {
    id,
    type,
    code,
    code_revision: 0,
    status: "idle",
    stdout: "",
    stderr: "",
    stdout_url: null,
    stderr_url: null,
    outputs: [],
    error: null,
    reads: [],
    writes: [],
    stale_since: 0,
    run: null,
    config: { disabled: false, code_hidden: false, output_hidden: false, result_name: "", connection: "" },
  };
}
