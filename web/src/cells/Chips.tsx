import { useNotebook } from "../store/hooks";
import type { Cell } from "../wire/types";

const NAMES_MAX = 6;
/** Columns of code that fit beside nothing, and what a chip takes besides its name. */
const COLUMNS = 86;
const CHIP_COLUMNS = 5;

/** So many columns of chips make a single row, which only the first line of the code can touch. */
const ROW_COLUMNS = 45;

/** Whether the chips fit to the right of the first lines of the code; else they go below it. */
export function chipsFit(code: string, names: readonly string[]): boolean {
  const chips = names.reduce((sum, name) => sum + Math.min(name.length, 24) + CHIP_COLUMNS, 0);
  const lines = code.split("\n", chips > ROW_COLUMNS ? 3 : 1);
  const longest = Math.max(...lines.map((line) => line.length));
  return longest + chips <= COLUMNS;
}

/** What a cell reads and writes: pointing shows the other end, clicking goes there. */
export function Chips({ cell, code }: { cell: Cell; code: string }) {
  const { reads, writes } = cell;
  const shownReads = reads.slice(0, NAMES_MAX);
  const shownWrites = writes.slice(0, NAMES_MAX);
  const hidden = reads.length + writes.length - shownReads.length - shownWrites.length;
  if (shownReads.length + shownWrites.length === 0) return null;
  const fit = chipsFit(code, [...shownReads, ...shownWrites]);
  return (
    <div className={fit ? "chips" : "chips below"} role="group" aria-label="Names">
      {shownReads.map((name) => (
        <Chip key={`r-${name}`} id={cell.id} name={name} end="writes" />
      ))}
      {shownWrites.map((name) => (
        <Chip key={`w-${name}`} id={cell.id} name={name} end="reads" />
      ))}
      {hidden > 0 && <span className="chip">+{hidden}</span>}
    </div>
  );
}

/** `end`: what the cells at the other end do with the name. */
function Chip({ id, name, end }: { id: string; name: string; end: "reads" | "writes" }) {
  const { session } = useNotebook();
  const others = () =>
    session.cellsInOrder().flatMap((cell) => (cell.id !== id && cell[end].includes(name) ? [cell.id] : []));
  const unlink = () => session.focus.link(new Set());
  const link = () => session.focus.link(new Set(others()));
  const jump = () => {
    unlink();
    const target = others()[0];
    if (target !== undefined) session.focus.want(target, "command");
  };
  const label =
    end === "writes" ? `Reads ${name}: go to the cell that writes it` : `Writes ${name}: go to a cell that reads it`;
  return (
    <button
      type="button"
      className="chip"
      aria-label={label}
      tabIndex={-1}
      onClick={jump}
      onPointerEnter={link}
      onPointerLeave={unlink}
    >
      <i>{end === "writes" ? "← " : "→ "}</i>
      {name}
    </button>
  );
}
