import { useMemo } from "react";
import { statusWords } from "../cells/status";
import { useNotebook, useTopic } from "../store/hooks";
import { cellLabel } from "../store/numbering";
import type { Cell, CellStatus } from "../wire/types";
import { drawingOf, NODE_HEIGHT, NODE_WIDTH, type Placed } from "./layout";

const CELLS_MAX = 60;
const LABEL_CHARS_MAX = 10;

/** The name that a cell is there for: one that others read, before one that nobody does; imports are not it. */
export function labelOf(cell: Cell, readElsewhere: ReadonlySet<string>, fallback: string): string {
  const own = cell.writes.filter((name) => !new RegExp(`^\\s*(?:import|from)\\b.*\\b${name}\\b`, "m").test(cell.code));
  const name = own.find((each) => readElsewhere.has(each)) ?? own[0] ?? fallback;
  return name.length > LABEL_CHARS_MAX ? `${name.slice(0, LABEL_CHARS_MAX - 1)}…` : name;
}

function useStatuses(): string {
  return useTopic("activity", ({ document, order }) =>
    order
      .map((id) => {
        const entry = document.cells.get(id);
        return entry?.live?.status ?? entry?.cell.status ?? "idle";
      })
      .join(" "),
  );
}

/** What depends on what. A click goes to the cell. */
export function Graph() {
  const { session } = useNotebook();
  const order = useTopic("sequence", (each) => each.order);
  const shape = useTopic("activity", (each) =>
    JSON.stringify(
      each
        .cellsInOrder()
        .slice(0, CELLS_MAX)
        .map((cell) => [cell.reads, cell.writes]),
    ),
  );
  const statuses = useStatuses().split(" ") as CellStatus[];
  const selected = useTopic("selected", ({ focus }) => focus.selected);
  const runnable = session.cellsInOrder().filter((cell) => session.numbers.has(cell.id));
  const drawing = useMemo(() => {
    const read = new Set(runnable.flatMap((cell) => cell.reads));
    return drawingOf(runnable, (cell) => labelOf(cell, read, cellLabel(session.numbers, cell.id)));
  }, [order, shape, session]);

  if (runnable.length === 0) return <p className="panel-note">The graph begins with the first cell.</p>;
  if (runnable.length > CELLS_MAX)
    return (
      <p className="panel-note">
        {runnable.length} cells are too many to draw. The chips on each cell lead to its neighbours.
      </p>
    );
  return (
    <svg
      className="graph"
      viewBox={`0 0 ${drawing.width} ${drawing.height}`}
      style={{ maxWidth: drawing.width, maxHeight: drawing.height }}
      role="group"
      aria-label="Dependencies"
    >
      {drawing.edges.map(({ from, to }) => (
        <path key={`${from.id}-${to.id}`} className="edge" d={curve(from, to)} />
      ))}
      {drawing.nodes.map((node) => (
        <Node
          key={node.id}
          node={node}
          status={statuses[order.indexOf(node.id)] ?? "idle"}
          selected={node.id === selected}
          onOpen={() => session.focus.want(node.id, "command")}
        />
      ))}
    </svg>
  );
}

function curve(from: Placed, to: Placed): string {
  const [top, bottom] = [from.y + NODE_HEIGHT / 2, to.y - NODE_HEIGHT / 2];
  const bend = Math.max(14, (bottom - top) * 0.6);
  return `M${from.x} ${top}C${from.x} ${top + bend} ${to.x} ${bottom - bend} ${to.x} ${bottom}`;
}

function Node({
  node,
  status,
  selected,
  onOpen,
}: {
  node: Placed;
  status: CellStatus;
  selected: boolean;
  onOpen(): void;
}) {
  return (
    <g
      className="node"
      data-status={status}
      data-selected={selected ? "" : undefined}
      role="button"
      tabIndex={0}
      aria-label={`${node.label}, ${statusWords(status)}`}
      onClick={onOpen}
      onKeyDown={(event) => event.key === "Enter" && onOpen()}
    >
      <rect x={node.x - NODE_WIDTH / 2} y={node.y - NODE_HEIGHT / 2} width={NODE_WIDTH} height={NODE_HEIGHT} rx="7" />
      <text x={node.x} y={node.y + 4}>
        {node.label}
      </text>
    </g>
  );
}
