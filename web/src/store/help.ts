import type { Help } from "../editor/help";
import { Unanswered } from "./questions";
import type { Session } from "./session";

/** For text: nothing stands behind its words. */
export const NO_HELP: Help = { complete: () => Promise.resolve(null), inspect: () => Promise.resolve(null) };

/** What the server knows about code that is being written in a cell; nothing while it cannot be asked. */
export function helpOf(session: Session, cellId: string): Help {
  const about = (code: string, position: number) => ({ cell_id: cellId, code, position });
  return {
    complete: (code, position) =>
      session.questions.ask({ type: "complete", ...about(code, position) }).catch(nothingIfUnanswered),
    inspect: (code, position) =>
      session.questions.ask({ type: "inspect", ...about(code, position) }).catch(nothingIfUnanswered),
  };
}

function nothingIfUnanswered(reason: unknown): null {
  if (reason instanceof Unanswered) return null;
  throw reason;
}
