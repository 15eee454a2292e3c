import type { CellStatus } from "../wire/types";
import type { CellView } from "../store/session";

export function statusOf(view: CellView): CellStatus {
  return view.live?.status ?? view.cell.status;
}

const WORDS: Record<CellStatus, string> = {
  idle: "never run",
  queued: "queued",
  running: "running",
  success: "ran",
  error: "failed",
  blocked: "blocked",
  stale: "outdated",
};

export const statusWords = (status: CellStatus): string => WORDS[status];
