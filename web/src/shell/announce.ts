import type { Session } from "../store/session";
import type { CommitMessage } from "../wire/types";
import { notices } from "./notices";
import { duration } from "./words";

const SPOKEN_CELLS_MAX = 3;

/** Tells the screen reader how runs ended. */
export function announceRuns(session: Session, commit: CommitMessage): void {
  const ran = [
    ...new Set(
      commit.changes.flatMap((change) => (change.kind === "cell_ran" && change.cell_id ? [change.cell_id] : [])),
    ),
  ];
  const results = ran.flatMap((id) => {
    const cell = session.document.cells.get(id)?.cell;
    return cell && cell.status !== "running" ? [cell] : [];
  });
  if (results.length === 0) return;
  if (results.length > SPOKEN_CELLS_MAX) {
    const failed = results.filter((cell) => cell.status === "error").length;
    notices.speak(`${results.length} cells ran${failed > 0 ? `, ${failed} failed` : ""}`);
    return;
  }
  const sentences = results.map((cell) => {
    const number = session.numbers.get(cell.id);
    return cell.status === "error"
      ? `Cell ${number} failed: ${cell.error?.name ?? "error"}`
      : `Cell ${number} ran, ${duration(cell.run?.duration_ms ?? 0)}`;
  });
  notices.speak(sentences.join(". "));
}
