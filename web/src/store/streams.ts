import type { Output } from "../wire/types";
import type { NotebookDocument } from "./document";

const FLUSH_EVERY_MS = 50;

type Piece = { id: string; name: "stdout" | "stderr"; text: string } | { id: string; output: Output };

/** Collects what a running cell prints, so that a loop of prints costs a few renders a second and not thousands. */
export class StreamBatch {
  private pieces: Piece[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly document: NotebookDocument) {}

  text(id: string, name: "stdout" | "stderr", text: string): void {
    const last = this.pieces.at(-1);
    if (last && "text" in last && last.id === id && last.name === name) last.text += text;
    else this.add({ id, name, text });
  }

  output(id: string, output: Output): void {
    this.add({ id, output });
  }

  /** Applies what was collected: before anything that depends on the order. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const pieces = this.pieces;
    this.pieces = [];
    for (const piece of pieces) {
      if ("text" in piece) this.document.appendStream(piece.id, piece.name, piece.text);
      else this.document.appendOutput(piece.id, piece.output);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private add(piece: Piece): void {
    this.pieces.push(piece);
    this.timer ??= setTimeout(() => this.flush(), FLUSH_EVERY_MS);
  }
}
