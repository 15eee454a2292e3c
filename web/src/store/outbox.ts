import { newId } from "../wire/ids";
import { backoffMs } from "../wire/backoff";
import type { AckMessage, ProblemMessage, Request } from "../wire/types";

/** A refusal of a request by the server. */
export class Refused extends Error {
  constructor(readonly problem: ProblemMessage) {
    super(problem.detail || problem.title);
    this.name = "Refused";
  }
}

interface Waiting {
  id: string;
  key: string;
  request: Request;
  sentAt: number;
  resolve(ack: AckMessage): void;
  reject(reason: Refused): void;
}

/** Refusals that say "not now": the same request is sent again. */
const AGAIN = new Set([429, 502, 503, 504]);
/** A run that starts minutes later, by itself, would surprise: these are refused at once. */
const ONCE = new Set<Request["type"]>(["run", "interrupt", "restart"]);

/** Requests in the order in which they were made, until each is acknowledged or refused. */
export class Outbox {
  /** Why the server does not take anything at the moment; empty: it does. */
  outage = "";
  private readonly waiting = new Map<string, Waiting>();
  private open = false;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly send: (frame: object) => boolean,
    private readonly changed: () => void,
  ) {}

  get size(): number {
    return this.waiting.size;
  }

  get requests(): Request[] {
    return Array.from(this.waiting.values(), (each) => each.request);
  }

  /** Resolves when the server has made it durable. The same `key` again is the same request to the server. */
  request(request: Request, key = newId(20)): Promise<AckMessage> {
    return new Promise((resolve, reject) => {
      const id = newId();
      const entry: Waiting = { id, key, request, sentAt: 0, resolve, reject };
      this.waiting.set(id, entry);
      if (this.open && this.outage === "") this.post(entry);
      this.changed();
    });
  }

  /** The connection is live: everything that has no answer yet goes out again, in order. */
  opened(): void {
    this.open = true;
    this.outage = "";
    this.attempt = 0;
    this.quiet();
    for (const entry of this.waiting.values()) this.post(entry);
    this.changed();
  }

  closed(): void {
    this.open = false;
    this.quiet();
    for (const entry of this.waiting.values()) entry.sentAt = 0;
    this.changed();
  }

  acknowledged(ack: AckMessage): void {
    const entry = this.waiting.get(ack.id);
    this.waiting.delete(ack.id);
    if (this.outage !== "") this.recovered();
    entry?.resolve(ack);
    this.changed();
  }

  refused(problem: ProblemMessage): void {
    const entry = this.waiting.get(problem.id ?? "");
    if (!entry) return;
    if (AGAIN.has(problem.status) && !ONCE.has(entry.request.type)) {
      entry.sentAt = 0;
      this.postpone(problem.detail || problem.title);
      return;
    }
    this.waiting.delete(entry.id);
    entry.reject(new Refused(problem));
    this.changed();
  }

  /** Milliseconds since the oldest request that has no answer was sent. */
  overdueMs(now: number): number {
    const sent = Array.from(this.waiting.values(), (each) => each.sentAt).filter((at) => at > 0);
    return sent.length === 0 ? 0 : now - Math.min(...sent);
  }

  private post(entry: Waiting): void {
    const sent = this.send({ ...entry.request, id: entry.id, key: entry.key });
    entry.sentAt = sent ? Date.now() : 0;
  }

  private postpone(reason: string): void {
    this.outage = reason;
    if (this.timer === undefined) {
      this.timer = setTimeout(() => this.resend(), backoffMs(this.attempt));
      this.attempt += 1;
    }
    this.changed();
  }

  private resend(): void {
    this.quiet();
    for (const entry of this.waiting.values()) if (entry.sentAt === 0 && this.open) this.post(entry);
  }

  private quiet(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private recovered(): void {
    this.outage = "";
    this.attempt = 0;
    this.resend();
  }
}
