import { vi } from "vitest";
import { freshCell } from "../src/store/operations";
import { Session } from "../src/store/session";
import type { Cell, CommitMessage, Notebook, Patch, ServerMessage } from "../src/wire/types";

/** The server's end of the page's WebSockets. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  static readonly OPEN = 1;
  readyState = 1;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];

  constructor(readonly url: URL) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The server says something. */
  say(...messages: ServerMessage[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }

  /** The connection breaks. */
  break(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  last(type: string): Record<string, unknown> & { id: string } {
    const found = this.sent.findLast((frame) => frame.type === type);
    if (!found)
      throw new Error(`No ${type} was sent; sent: ${this.sent.map((frame) => String(frame.type)).join(", ")}`);
    return found as Record<string, unknown> & { id: string };
  }

  count(type: string): number {
    return this.sent.filter((frame) => frame.type === type).length;
  }
}

export function cell(id: string, change: Partial<Cell> = {}): Cell {
  return { ...freshCell(id, "python", ""), code_revision: 1, ...change };
}

export function notebook(cells: Cell[], revision = 1): Notebook {
  return {
    id: "nb",
    name: "Orders",
    revision,
    has_connection: false,
    created_at: 0,
    updated_at: 0,
    deleted_at: null,
    run_mode: "automatic",
    kernel: "none",
    read_only: null,
    cells,
  };
}

export function commit(revision: number, patch: Patch, kind = "cell_edited"): CommitMessage {
  return {
    type: "commit",
    revision,
    commit_id: `c${revision}`,
    at: revision,
    authors: ["me"],
    summary: "edited",
    changes: [{ kind, author: "me", at: revision }],
    patch,
  };
}

export const ready = (revision: number): ServerMessage => ({
  type: "ready",
  revision,
  kernel: "none",
  cells: {},
  read_only: null,
  run_mode: "automatic",
});

export function useFakeServer(): void {
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal(
    "fetch",
    vi.fn(
      async () => new Response(JSON.stringify({ commits: [] }), { headers: { "content-type": "application/json" } }),
    ),
  );
  localStorage.clear();
}

const started: Session[] = [];

/** Ends what a test has opened, listeners included. */
export function closeAll(): void {
  for (const session of started.splice(0)) session.stop();
}

export const newest = (): FakeSocket => {
  const socket = FakeSocket.all.at(-1);
  if (!socket) throw new Error("The page has opened no socket.");
  return socket;
};

/** A session that is live on these cells. */
export function open(cells: Cell[], revision = 1): { session: Session; socket: FakeSocket } {
  const session = new Session("nb");
  started.push(session);
  session.start();
  newest().say({ type: "snapshot", notebook: notebook(cells, revision) }, ready(revision));
  return { session, socket: newest() };
}

/** Lets promises settle without letting time pass. */
export const settle = () => vi.advanceTimersByTimeAsync(0);
