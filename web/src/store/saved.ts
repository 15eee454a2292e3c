import { cellLabel } from "./numbering";

/** What the pill next to the name says. It says "saved" only of what the server has acknowledged as durable. */
export type Saved =
  | { kind: "opening" }
  | { kind: "saved"; revision: number }
  | { kind: "saving" }
  | { kind: "offline"; count: number; kept: boolean }
  | { kind: "conflict"; cellId: string; label: string }
  | { kind: "failed"; reason: string }
  | { kind: "read_only"; reason: string };

export interface SavedFacts {
  connection: "opening" | "live" | "offline" | "unauthorized" | "missing";
  revision: number | null;
  readOnly: string | null;
  /** Cells whose text somebody else changed meanwhile, in page order. */
  conflicts: readonly string[];
  numbers: ReadonlyMap<string, number>;
  /** Why an edit was refused for good; empty: none was. */
  refusal: string;
  /** Why the store takes nothing at the moment; empty: it does. */
  outage: string;
  unsent: number;
  kept: boolean;
}

export function savedOf(facts: SavedFacts): Saved {
  const conflict = facts.conflicts[0];
  if (conflict !== undefined) return { kind: "conflict", cellId: conflict, label: cellLabel(facts.numbers, conflict) };
  if (facts.refusal !== "") return { kind: "failed", reason: facts.refusal };
  if (facts.connection === "offline" || (facts.connection === "unauthorized" && facts.revision !== null)) {
    return { kind: "offline", count: facts.unsent, kept: facts.kept };
  }
  if (facts.outage !== "") return { kind: "failed", reason: facts.outage };
  if (facts.revision === null) return { kind: "opening" };
  if (facts.readOnly !== null) return { kind: "read_only", reason: facts.readOnly };
  if (facts.unsent > 0) return { kind: "saving" };
  return facts.connection === "live" ? { kind: "saved", revision: facts.revision } : { kind: "opening" };
}

export function savedWords(saved: Saved): string {
  switch (saved.kind) {
    case "opening":
      return "Opening";
    case "saved":
      return "Saved";
    case "saving":
      return "Saving";
    case "offline": {
      if (saved.count === 0) return "Offline";
      const edits = saved.count === 1 ? "1 edit" : `${saved.count} edits`;
      return saved.kept ? `Offline, ${edits} kept here` : `Offline, ${edits} only in this tab`;
    }
    case "conflict":
      return `Conflict in ${saved.label}`;
    case "failed":
      return `Not saved: ${saved.reason}`;
    case "read_only":
      return "Read only";
  }
}
