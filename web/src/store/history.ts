import { getHistory, getNotebook } from "../wire/rest";
import type { CommitMessage, HistoryEntry, Notebook } from "../wire/types";
import type { Topics } from "./topics";

const ENTRIES_MAX = 200;
const KEPT_REVISIONS_MAX = 24;

/** An earlier revision on the page: null content while it is fetched. */
export interface Past {
  revision: number;
  notebook: Notebook | null;
  failure: string;
}

/** The newest commits of the log, and the earlier revision that is looked at. Topics: `history`, `past`. */
export class History {
  /** Oldest first. */
  entries: readonly HistoryEntry[] = [];
  past: Past | null = null;
  private readonly revisions = new Map<number, Notebook>();

  constructor(
    private readonly notebookId: string,
    private readonly topics: Topics,
  ) {}

  async load(): Promise<void> {
    const newest = await getHistory(this.notebookId, ENTRIES_MAX);
    const loaded = newest.reverse();
    const head = loaded.at(-1)?.revision ?? 0;
    this.entries = [...loaded, ...this.entries.filter((entry) => entry.revision > head)].slice(-ENTRIES_MAX);
    this.topics.emit("history");
  }

  append(commit: CommitMessage): void {
    if (commit.revision <= (this.entries.at(-1)?.revision ?? 0)) return;
    const { revision, commit_id, at, authors, summary } = commit;
    const kinds = [...new Set(commit.changes.map((change) => change.kind))];
    this.entries = [...this.entries, { revision, commit_id, at, authors, summary, kinds }].slice(-ENTRIES_MAX);
    this.topics.emit("history");
  }

  /** Shows the notebook as of a revision, read-only; null: as it is now. The last call wins. */
  async lookAt(revision: number | null): Promise<void> {
    if (revision === null) {
      this.show(null);
      return;
    }
    const known = this.revisions.get(revision);
    this.show({ revision, notebook: known ?? this.past?.notebook ?? null, failure: "" });
    if (known) return;
    try {
      const notebook = await getNotebook(this.notebookId, revision);
      this.keep(revision, notebook);
      if (this.past?.revision === revision) this.show({ revision, notebook, failure: "" });
    } catch (reason) {
      if (this.past?.revision === revision)
        this.show({ revision, notebook: null, failure: String((reason as Error).message) });
    }
  }

  /** A revision never changes, so it is fetched once. */
  private keep(revision: number, notebook: Notebook): void {
    this.revisions.set(revision, notebook);
    const oldest = this.revisions.keys().next().value;
    if (this.revisions.size > KEPT_REVISIONS_MAX && oldest !== undefined) this.revisions.delete(oldest);
  }

  private show(past: Past | null): void {
    this.past = past;
    this.topics.emit("past");
  }
}

export const isRun = (entry: HistoryEntry): boolean => entry.kinds.includes("cell_ran");
