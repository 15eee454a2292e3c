import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Questions, Unanswered } from "../src/store/questions";

type Frame = { id: string; type: string };

describe("questions", () => {
  let sent: Frame[] = [];
  let live = true;
  let questions: Questions;

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    live = true;
    questions = new Questions(
      (frame) => sent.push(frame as Frame) > 0,
      () => live,
    );
  });
  afterEach(() => vi.useRealTimers());

  const last = () => sent.at(-1)!;

  it("get their own answer", async () => {
    const first = questions.ask({ type: "variables" });
    const second = questions.ask({ type: "table_column", table: "t", column: 0 });
    expect(sent.map((frame) => frame.type)).toEqual(["variables", "table_column"]);
    const told = { variables: [], total: 0 };
    expect(questions.answered({ type: "ack", id: last().id })).toBe(true);
    expect(questions.answered({ ...told, type: "ack", id: sent[0]!.id })).toBe(true);
    expect(await first).toMatchObject(told);
    await second;
  });

  it("leave the answers to edits alone", () => {
    expect(questions.answered({ type: "ack", id: "abc" })).toBe(false);
    expect(questions.answered({ type: "problem", status: 503, title: "", detail: "closing" })).toBe(false);
  });

  it("say why there is no answer", async () => {
    const refused = questions.ask({ type: "variables" });
    questions.answered({ type: "problem", id: last().id, status: 409, title: "Conflict", detail: "No kernel runs." });
    await expect(refused).rejects.toThrow("No kernel runs.");
  });

  it("are not asked while offline, and not again after the connection was lost", async () => {
    const lost = questions.ask({ type: "variables" });
    questions.closed();
    await expect(lost).rejects.toThrow(Unanswered);
    live = false;
    await expect(questions.ask({ type: "variables" })).rejects.toThrow("Offline");
    expect(sent).toHaveLength(1);
  });

  it("do not wait for ever", async () => {
    const slow = expect(questions.ask({ type: "variables" })).rejects.toThrow("too long");
    vi.advanceTimersByTime(20_000);
    await slow;
    expect(questions.answered({ type: "ack", id: last().id })).toBe(true);
  });
});
