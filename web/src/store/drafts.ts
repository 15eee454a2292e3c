import { newId } from "../wire/ids";
import type { AckMessage, Cell, CellType, Request } from "../wire/types";
import type { KeptEdits } from "./kept";
import { Refused } from "./outbox";

/** A text on its way: resent with the same key until it is answered. */
export interface Sent {
  key: string;
  text: string;
  type: CellType | null;
  base: number;
}

export type Trouble = { kind: "conflict"; theirs: Cell | null } | { kind: "refused"; reason: string };

/** What the reader typed into a cell and the server has not acknowledged. */
export interface Draft {
  readonly text: string;
  /** The type that the cell is being turned into; null: as it is. */
  readonly type: CellType | null;
  /** The cell's `code_revision` that this text is based on. */
  readonly base: number;
  readonly sent: Sent | null;
  readonly trouble: Trouble | null;
}

/** What the edits need from the rest of the session. */
export interface EditHost {
  /** The cell as committed, or undefined while its insert is on the way. */
  committed(cellId: string): Cell | undefined;
  request(request: Request, key: string): Promise<AckMessage>;
  acknowledged(cellId: string, sent: Sent, revision: number): void;
  changed(cellId: string): void;
}

const TYPING_PAUSE_MS = 400;
/** Far above what a cell may hold, and below what the socket takes: the server could not even say why it refuses. */
const SENT_CHARS_MAX = 1_000_000;

/** Sends edits: one in flight per cell, the newest text next, and nothing typed is lost on the way. */
export class EditQueue {
  private readonly drafts = new Map<string, Draft>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly settled = new Map<string, (() => void)[]>();

  constructor(
    private readonly host: EditHost,
    private readonly kept: KeptEdits,
  ) {}

  get(cellId: string): Draft | null {
    return this.drafts.get(cellId) ?? null;
  }

  entries(): [string, Draft][] {
    return [...this.drafts];
  }

  /** Takes up what an earlier page kept. The texts go out with `flushAll` once the connection is live. */
  adoptKept(): void {
    for (const [cellId, kept] of this.kept.drafts()) this.drafts.set(cellId, { ...kept, trouble: null });
  }

  type(cellId: string, text: string): void {
    const before = this.drafts.get(cellId);
    const cell = this.host.committed(cellId);
    if (!before && cell?.code === text) return;
    if (
      before &&
      !before.sent &&
      !before.type &&
      !before.trouble &&
      cell?.code === text &&
      cell.code_revision === before.base
    ) {
      this.drop(cellId); // typed and taken back before it was sent
      return;
    }
    const trouble = before?.trouble?.kind === "conflict" ? before.trouble : null;
    this.set(cellId, {
      text,
      type: before?.type ?? null,
      base: before?.base ?? cell?.code_revision ?? 0,
      sent: before?.sent ?? null,
      trouble,
    });
    this.schedule(cellId);
  }

  convert(cellId: string, type: CellType): void {
    const before = this.drafts.get(cellId);
    const cell = this.host.committed(cellId);
    this.set(cellId, {
      text: before?.text ?? cell?.code ?? "",
      type,
      base: before?.base ?? cell?.code_revision ?? 0,
      sent: before?.sent ?? null,
      trouble: before?.trouble ?? null,
    });
    this.flush(cellId);
  }

  /** Sends the newest text now, unless one is in flight, the cell's insert is, or its reader has to decide first. */
  flush(cellId: string): void {
    this.unschedule(cellId);
    const draft = this.drafts.get(cellId);
    const cell = this.host.committed(cellId);
    if (!draft || draft.sent || draft.trouble || !cell) return;
    const { text, type } = draft;
    if (text.length > SENT_CHARS_MAX) {
      this.set(cellId, { ...draft, trouble: { kind: "refused", reason: "The text is too long for one cell." } });
      return;
    }
    const base = draft.base || cell.code_revision; // 0: typed before the cell's own insert was committed
    this.post(cellId, { ...draft, base, sent: { key: newId(20), text, type, base } });
  }

  /** Sends everything that waits. After a reload also what was in flight then, with its old key. */
  flushAll(resend = false): void {
    for (const [cellId, draft] of this.entries()) {
      if (resend && draft.sent) this.post(cellId, { ...draft, sent: draft.sent });
      else this.flush(cellId);
    }
  }

  /** Resolves once the newest text of the cell has at least been sent; false if its reader has to decide first. */
  async sentOut(cellId: string): Promise<boolean> {
    for (;;) {
      this.flush(cellId);
      const draft = this.drafts.get(cellId);
      if (!draft) return true;
      if (draft.trouble) return false;
      if (draft.sent?.text === draft.text && draft.sent.type === draft.type) return true;
      await new Promise<void>((resolve) => this.settled.set(cellId, [...(this.settled.get(cellId) ?? []), resolve]));
    }
  }

  /** The cell's insert was acknowledged: texts typed meanwhile are based on it. */
  inserted(cellId: string, revision: number): void {
    const draft = this.drafts.get(cellId);
    if (draft && draft.base < revision) this.set(cellId, { ...draft, base: revision });
    this.flush(cellId);
    this.wake(cellId);
  }

  /** The cell was deleted by somebody else while it held unsent text. */
  orphaned(cellId: string): void {
    const draft = this.drafts.get(cellId);
    if (draft) this.set(cellId, { ...draft, trouble: { kind: "conflict", theirs: null } });
  }

  /** "Keep mine": the same text, now based on theirs. */
  keepMine(cellId: string, theirRevision: number): void {
    const draft = this.drafts.get(cellId);
    if (!draft) return;
    this.set(cellId, { ...draft, base: theirRevision, trouble: null });
    this.flush(cellId);
  }

  /** The draft is done with: acknowledged, or given up by its reader. */
  drop(cellId: string): void {
    this.unschedule(cellId);
    this.drafts.delete(cellId);
    this.kept.removeDraft(cellId);
    this.host.changed(cellId);
    this.wake(cellId);
  }

  private post(cellId: string, draft: Draft & { sent: Sent }): void {
    const { sent } = draft;
    this.set(cellId, draft);
    const type = sent.type === null ? {} : { cell_type: sent.type };
    this.host
      .request({ type: "edit_cell", cell_id: cellId, code: sent.text, expected_revision: sent.base, ...type }, sent.key)
      .then(
        (ack) => this.answered(cellId, sent, ack.revision ?? sent.base),
        (reason: unknown) => this.refused(cellId, sent, reason),
      );
  }

  private answered(cellId: string, sent: Sent, revision: number): void {
    const draft = this.drafts.get(cellId);
    this.host.acknowledged(cellId, sent, revision);
    if (draft?.sent?.key !== sent.key) return;
    if (draft.text === sent.text && draft.type === sent.type) {
      this.drop(cellId);
      return;
    }
    const type = draft.type === sent.type ? null : draft.type;
    this.set(cellId, { ...draft, type, base: revision, sent: null });
    this.wake(cellId);
    if (!this.timers.has(cellId)) this.flush(cellId);
  }

  private refused(cellId: string, sent: Sent, reason: unknown): void {
    const draft = this.drafts.get(cellId);
    if (draft?.sent?.key !== sent.key) return;
    const problem = reason instanceof Refused ? reason.problem : null;
    const trouble: Trouble =
      problem?.status === 409
        ? { kind: "conflict", theirs: problem.current ?? null }
        : { kind: "refused", reason: problem?.detail || problem?.title || String(reason) };
    this.set(cellId, { ...draft, sent: null, trouble });
    this.wake(cellId);
  }

  private set(cellId: string, draft: Draft): void {
    this.drafts.set(cellId, draft);
    this.kept.saveDraft(cellId, draft);
    this.host.changed(cellId);
  }

  private schedule(cellId: string): void {
    clearTimeout(this.timers.get(cellId));
    this.timers.set(
      cellId,
      setTimeout(() => this.flush(cellId), TYPING_PAUSE_MS),
    );
  }

  private unschedule(cellId: string): void {
    clearTimeout(this.timers.get(cellId));
    this.timers.delete(cellId);
  }

  private wake(cellId: string): void {
    const waiting = this.settled.get(cellId) ?? [];
    this.settled.delete(cellId);
    for (const resolve of waiting) resolve();
  }
}
