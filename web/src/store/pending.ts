import { newId } from "../wire/ids";
import type { Cell } from "../wire/types";
import type { KeptEdits } from "./kept";
import { freshCell, type Ghost, isOperation, type Operation } from "./operations";
import type { Outbox } from "./outbox";

/** What pending operations need from the session. */
export interface OperationHost {
  headRevision(): number;
  inserted(cellId: string, revision: number): void;
  insertRefused(operation: Extract<Operation, { type: "insert_cell" }>): void;
  changed(operation: Operation): void;
  failed(reason: unknown): void;
}

/** Operations whose effect is shown before their commit arrives: on their way, or acknowledged a moment ago. */
export class PendingOperations {
  readonly ghosts = new Map<string, Ghost>();
  private landing: { operation: Operation; revision: number }[] = [];
  private readonly provisionals = new Map<string, Cell>();

  constructor(
    private readonly outbox: Outbox,
    private readonly kept: KeptEdits,
    private readonly host: OperationHost,
  ) {}

  /** In the order in which they were asked for. */
  get all(): Operation[] {
    return [...this.landing.map((each) => each.operation), ...this.unacknowledged];
  }

  get unacknowledged(): Operation[] {
    return this.outbox.requests.filter(isOperation);
  }

  /** Takes up what an earlier page kept. */
  adoptKept(): void {
    for (const { at, operation } of this.kept.operations()) void this.track(operation.request, operation.key, at);
  }

  /** Shows the operation at once, keeps it in the browser and sends it. Resolves when it is durable or refused. */
  operate(operation: Operation): Promise<void> {
    const key = newId(20);
    return this.track(operation, key, this.kept.saveOperation({ key, request: operation }));
  }

  isInserting(id: string): boolean {
    return this.all.some((each) => each.type === "insert_cell" && each.cell_id === id);
  }

  isDeleting(id: string): boolean {
    return this.all.some((each) => each.type === "delete_cell" && each.cell_id === id);
  }

  /** A cell that is on the page but not (any more) in the document. */
  provisional(id: string): Cell | undefined {
    const ghost = this.ghosts.get(id);
    if (ghost) return ghost.cell;
    const known = this.provisionals.get(id);
    const insert = this.all.find((each) => each.type === "insert_cell" && each.cell_id === id);
    if (insert?.type !== "insert_cell") return known;
    if (known) return known;
    const cell = freshCell(id, insert.cell_type, insert.code);
    this.provisionals.set(id, cell);
    return cell;
  }

  /** A cell whose insert was acknowledged, though its commit has not arrived: edits may go out. */
  landed(id: string): Cell | undefined {
    const found = this.landing.find(({ operation }) => operation.type === "insert_cell" && operation.cell_id === id);
    const cell = found && this.provisional(id);
    return cell && { ...cell, code_revision: found.revision };
  }

  /** Commits up to `revision` are on the page: the operations they hold need no showing any more. */
  reached(revision: number): boolean {
    const before = this.landing.length;
    for (const { operation, revision: own } of this.landing) {
      if (own <= revision && operation.type === "insert_cell") this.provisionals.delete(operation.cell_id);
    }
    this.landing = this.landing.filter((each) => each.revision > revision);
    return this.landing.length < before;
  }

  private async track(operation: Operation, key: string, at: string): Promise<void> {
    const answer = this.outbox.request(operation, key);
    this.host.changed(operation);
    try {
      const { revision = 0 } = await answer;
      if (revision > this.host.headRevision()) this.landing.push({ operation, revision });
      if (operation.type === "insert_cell") this.host.inserted(operation.cell_id, revision);
    } catch (reason) {
      if (operation.type === "insert_cell") this.host.insertRefused(operation);
      this.host.failed(reason);
    }
    this.kept.removeOperation(at);
    this.host.changed(operation);
  }
}
