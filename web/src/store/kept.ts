import type { Operation } from "./operations";
import type { Draft } from "./drafts";

export interface KeptOperation {
  key: string;
  request: Operation;
}

type KeptDraft = Pick<Draft, "text" | "type" | "base" | "sent">;

/** What has been typed but not acknowledged, in the browser's storage: it survives a reload and a closed lid. */
export class KeptEdits {
  /** False when the browser refused to store something: the page then says so. */
  ok = true;
  private written = 0;

  constructor(
    private readonly notebookId: string,
    private readonly storage: Storage = localStorage,
  ) {}

  saveDraft(cellId: string, draft: Draft): void {
    const { text, type, base, sent } = draft;
    this.write(this.draftKey(cellId), { text, type, base, sent } satisfies KeptDraft);
  }

  removeDraft(cellId: string): void {
    this.storage.removeItem(this.draftKey(cellId));
  }

  drafts(): Map<string, KeptDraft> {
    const prefix = this.draftKey("");
    return new Map(this.keys(prefix).map((key) => [key.slice(prefix.length), this.read<KeptDraft>(key)]));
  }

  saveOperation(operation: KeptOperation): string {
    this.written += 1;
    const order = `${Date.now().toString(36)}-${String(this.written).padStart(6, "0")}`;
    const key = `quire.op:${this.notebookId}:${order}-${operation.key}`;
    this.write(key, operation);
    return key;
  }

  removeOperation(key: string): void {
    this.storage.removeItem(key);
  }

  /** In the order in which they were asked for. */
  operations(): { at: string; operation: KeptOperation }[] {
    return this.keys(`quire.op:${this.notebookId}:`)
      .sort()
      .map((at) => ({ at, operation: this.read<KeptOperation>(at) }));
  }

  private draftKey(cellId: string): string {
    return `quire.draft:${this.notebookId}:${cellId}`;
  }

  private keys(prefix: string): string[] {
    const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index) ?? "");
    return keys.filter((key) => key.startsWith(prefix));
  }

  private read<T>(key: string): T {
    return JSON.parse(this.storage.getItem(key) ?? "null") as T;
  }

  private write(key: string, value: unknown): void {
    try {
      this.storage.setItem(key, JSON.stringify(value));
      this.ok = true;
    } catch {
      this.ok = false; // the quota is used up, or storage is switched off
    }
  }
}
