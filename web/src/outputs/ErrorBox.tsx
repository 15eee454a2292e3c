import type { CellError } from "../wire/types";
import { Ansi } from "./Ansi";

interface Props {
  error: CellError;
  /** How the cell that caused it is called on the page; null: there is none. */
  cause: string | null;
  /** How the page calls a cell; null: it has none with this id. */
  nameOf(cellId: string): string | null;
  onJump(): void;
}

/** The server names cells by their ids, which nobody sees: the page's own numbers instead. */
export function withCellNames(text: string, nameOf: Props["nameOf"]): string {
  return text.replace(/\bcell ([a-z0-9]{4,64})\b/g, (words, id: string) => nameOf(id) ?? words);
}

const FRAME = /^\s*(?:File |Cell In\[|\S+ in )/;

function framesIn(traceback: readonly string[]): number {
  // escape sequences are what this removes
  return traceback.flatMap((part) => part.replace(/\x1b\[[\d;]*m/g, "").split("\n")).filter((line) => FRAME.test(line))
    .length;
}

/** Why a cell has no fresh result: the name, the line, folded frames, and the cell to look at. */
export function ErrorBox({ error, cause, nameOf, onJump }: Props) {
  const frames = framesIn(error.traceback);
  const off = error.name === "Disabled";
  const blocked = off || error.name === "Blocked";
  return (
    <div className={blocked ? "err blocked" : "err"}>
      <b>{off ? "Switched off" : error.name}</b>{" "}
      {blocked && cause !== null ? (
        <>
          by{" "}
          <button type="button" className="link" onClick={onJump}>
            {cause}
          </button>
        </>
      ) : (
        <Ansi text={withCellNames(error.message, nameOf)} />
      )}
      {!blocked && (
        <div className="where">
          {error.line > 0 && <span>line {error.line}</span>}
          {cause !== null && (
            <button type="button" className="link" onClick={onJump}>
              see {cause}
            </button>
          )}
          {error.traceback.length > 0 && (
            <details>
              <summary>{frames > 0 ? `${frames} ${frames === 1 ? "frame" : "frames"} folded` : "traceback"}</summary>
              <pre tabIndex={0}>
                <Ansi text={withCellNames(error.traceback.join("\n"), nameOf)} />
              </pre>
            </details>
          )}
        </div>
      )}
    </div>
  );
}
