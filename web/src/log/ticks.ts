import type { HistoryEntry } from "../wire/types";
import { isRun } from "../store/history";

export interface Tick {
  revision: number;
  /** Place on the line, from 0 to 1. */
  x: number;
  weight: "run" | "edit" | "quiet";
}

const EDITS = ["cell_edited", "cell_inserted", "cell_deleted", "notebook_restored", "notebook_created"];
/** A pause this long counts double; longer ones grow by the logarithm, so that a night does not eat the line. */
const PAUSE_MS = 15_000;
const WEIGHT_MAX = 7;

function weightOf(entry: HistoryEntry): Tick["weight"] {
  if (isRun(entry)) return "run";
  return entry.kinds.some((kind) => EDITS.includes(kind)) ? "edit" : "quiet";
}

/** Where each commit lies on the line: in order, what happened together close together. */
export function ticksOf(entries: readonly HistoryEntry[]): Tick[] {
  let sum = 0;
  const places = entries.map((entry, index) => {
    const before = entries[index - 1];
    if (before) sum += 1 + Math.min(WEIGHT_MAX, Math.log2(1 + Math.max(0, entry.at - before.at) / PAUSE_MS));
    return sum;
  });
  return entries.map((entry, index) => ({
    revision: entry.revision,
    x: sum === 0 ? 1 : (places[index] ?? 0) / sum,
    weight: weightOf(entry),
  }));
}

/** The tick closest to a place on the line. */
export function nearestTick(ticks: readonly Tick[], x: number): Tick | null {
  let best: Tick | null = null;
  for (const tick of ticks) if (!best || Math.abs(tick.x - x) < Math.abs(best.x - x)) best = tick;
  return best;
}
