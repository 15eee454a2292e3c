import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { useEntries, useMeta, useNotebook, usePast } from "../store/hooks";
import { clockTime } from "../shell/words";
import type { HistoryEntry } from "../wire/types";
import { nearestTick, type Tick, ticksOf } from "./ticks";

const WIDTH = 1000;
const HEIGHT = 32;
const SHAPES = { run: 20, edit: 10, quiet: 6 } as const;
/** While the knob is dragged, a revision is fetched when the hand rests this long. */
const REST_MS = 90;

function Ticks({ ticks }: { ticks: readonly Tick[] }) {
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <line
        x1="0"
        x2={WIDTH}
        y1={HEIGHT / 2}
        y2={HEIGHT / 2}
        stroke="var(--line-strong)"
        vectorEffect="non-scaling-stroke"
      />
      {ticks.map((tick) => {
        const height = SHAPES[tick.weight];
        const x = tick.x * WIDTH;
        return (
          <line
            key={tick.revision}
            x1={x}
            x2={x}
            y1={(HEIGHT - height) / 2}
            y2={(HEIGHT + height) / 2}
            stroke={tick.weight === "run" ? "var(--accent)" : "var(--ink-3)"}
            strokeWidth={tick.weight === "run" ? 1.8 : 1.5}
            opacity={tick.weight === "run" ? 1 : 0.55}
            vectorEffect="non-scaling-stroke"
          />
        );
      })}
    </svg>
  );
}

function Hint({ tick, entry }: { tick: Tick; entry: HistoryEntry | undefined }) {
  if (!entry) return null;
  const left = `clamp(80px, ${tick.x * 100}%, calc(100% - 80px))`;
  return (
    <div className="hint" style={{ left }}>
      {entry.summary}{" "}
      <span>
        r {entry.revision} · {clockTime(entry.at, Date.now())}
      </span>
    </div>
  );
}

/** The log: one tick per commit, the knob at what is shown. Drag it, or step with the arrow keys. */
export function LogLine() {
  const { session } = useNotebook();
  const entries = useEntries();
  const past = usePast();
  const meta = useMeta();
  const head = meta?.revision ?? 0;
  const ticks = useMemo(() => ticksOf(entries), [entries]);
  const [dragged, setDragged] = useState<number | null>(null);
  const [pointed, setPointed] = useState<Tick | null>(null);
  const track = useRef<HTMLDivElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const shown = dragged ?? past?.revision ?? head;
  const last = ticks.at(-1)?.revision ?? head;
  const shownTick = ticks.find((tick) => tick.revision === shown) ?? ticks.at(-1);
  const entryOf = (revision: number) => entries.find((entry) => entry.revision === revision);
  const shownEntry = entryOf(shownTick?.revision ?? -1);

  const show = (revision: number) => void session.history.lookAt(revision >= last ? null : revision);
  const at = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    return box ? nearestTick(ticks, (event.clientX - box.left) / box.width) : null;
  };
  const drag = (event: PointerEvent) => {
    const tick = at(event);
    setPointed(tick);
    if (!tick || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    setDragged(tick.revision);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => show(tick.revision), REST_MS);
  };
  const drop = () => {
    clearTimeout(timer.current);
    if (dragged !== null) show(dragged);
    setDragged(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const index = ticks.findIndex((tick) => tick.revision === shownTick?.revision);
    const steps: Record<string, number> = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageUp: index + 10,
      PageDown: index - 10,
      Home: 0,
      End: ticks.length - 1,
      Escape: ticks.length - 1,
    };
    const target = steps[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const tick = ticks[Math.max(0, Math.min(ticks.length - 1, target))];
    if (tick) show(tick.revision);
  };

  if (!meta) return <footer className="log" />;
  return (
    <footer className="log">
      <span className="mono">r {shown}</span>
      <div
        ref={track}
        className="track"
        role="slider"
        tabIndex={0}
        aria-label="Revision"
        aria-valuemin={ticks[0]?.revision ?? head}
        aria-valuemax={last}
        aria-valuenow={shown}
        aria-valuetext={`Revision ${shown}${shownEntry ? `: ${shownEntry.summary}` : ""}`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag(event);
        }}
        onPointerMove={drag}
        onPointerUp={drop}
        onPointerCancel={drop}
        onPointerLeave={() => setPointed(null)}
        onKeyDown={onKeyDown}
      >
        <Ticks ticks={ticks} />
        {shownTick && <i className="knob" style={{ left: `${shownTick.x * 100}%` }} />}
        {pointed && <Hint tick={pointed} entry={entryOf(pointed.revision)} />}
      </div>
      {shownEntry && <time className="only-wide">{clockTime(shownEntry.at, Date.now())}</time>}
    </footer>
  );
}
