import { newId } from "../wire/ids";
import type { AckMessage, Answers, ProblemMessage, Question } from "../wire/types";

/** Why a question has no answer, in words for the reader. */
export class Unanswered extends Error {
  constructor(words: string) {
    super(words);
    this.name = "Unanswered";
  }
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(reason: Unanswered): void;
  timer: ReturnType<typeof setTimeout>;
}

const OVERDUE_MS = 15_000;
const PREFIX = "question-";

/** Questions about the kernel's values. They change nothing, so what has no answer when the connection ends is not
 * asked again. */
export class Questions {
  private readonly waiting = new Map<string, Waiting>();

  constructor(
    private readonly send: (frame: object) => boolean,
    private readonly isLive: () => boolean,
  ) {}

  ask<K extends keyof Answers>(question: Question & { type: K }): Promise<Answers[K]> {
    return new Promise((resolve, reject) => {
      const id = PREFIX + newId();
      if (!this.isLive() || !this.send({ ...question, id })) {
        reject(new Unanswered("Offline: nobody can answer until the connection is back."));
        return;
      }
      const timer = setTimeout(() => this.settle(id)?.reject(new Unanswered("The server took too long.")), OVERDUE_MS);
      this.waiting.set(id, { resolve: (answer) => resolve(answer as Answers[K]), reject, timer });
    });
  }

  /** Whether the message was meant for one of these questions. */
  answered(message: AckMessage | ProblemMessage): boolean {
    if (!message.id?.startsWith(PREFIX)) return false;
    const entry = this.settle(message.id);
    if (message.type === "ack") entry?.resolve(message);
    else entry?.reject(new Unanswered(message.detail || message.title));
    return true;
  }

  closed(): void {
    for (const id of [...this.waiting.keys()]) this.settle(id)?.reject(new Unanswered("The connection was lost."));
  }

  private settle(id: string): Waiting | undefined {
    const entry = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(entry?.timer);
    return entry;
  }
}
