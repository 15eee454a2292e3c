import type { KeyboardEvent } from "react";
import type { OpenNotebook } from "../store/hooks";

const DOUBLE_PRESS_MS = 600;
let firstD = 0;

/** Keys while the focus is on a cell and not in its text. True: the key was one of ours. */
export function commandKey(event: KeyboardEvent, id: string, { session, actions }: OpenNotebook): boolean {
  const go = (by: -1 | 1) => {
    const next = actions.neighbour(id, by);
    if (next !== null) session.focus.want(next, "command");
  };
  if (event.key === "Enter") {
    if (event.shiftKey) advance(id, { session, actions }, "command");
    else if (event.ctrlKey || event.metaKey) void actions.run([id]);
    else session.focus.want(id, "edit");
    return true;
  }
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    actions.move(id, event.key === "ArrowUp" ? -1 : 1);
    return true;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  switch (event.key) {
    case "ArrowUp":
    case "k":
      go(-1);
      return true;
    case "ArrowDown":
    case "j":
      go(1);
      return true;
    case "a":
      actions.insertBeside("python", id, "above");
      return true;
    case "b":
      actions.insertBeside("python", id, "below");
      return true;
    case "m":
      actions.convert(id, "markdown");
      return true;
    case "y":
      actions.convert(id, "python");
      return true;
    case "d": {
      const now = Date.now();
      if (now - firstD < DOUBLE_PRESS_MS) {
        firstD = 0;
        actions.remove(id);
      } else firstD = now;
      return true;
    }
    default:
      return false;
  }
}

/** Shift-Enter: run, and go to the next cell; after the last one a new cell begins. */
export function advance(id: string, { session, actions }: OpenNotebook, mode: "command" | "edit"): void {
  void actions.run([id]);
  const next = actions.neighbour(id, 1);
  if (next === null) actions.insert("python", id);
  else session.focus.want(next, session.numbers.has(next) ? mode : "command");
}
