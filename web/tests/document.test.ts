import { describe, expect, it, vi } from "vitest";
import { NotebookDocument } from "../src/store/document";
import { cellTopic, Topics } from "../src/store/topics";
import { cell, commit, notebook } from "./fakes";

function fresh(cells = [cell("a", { code: "x = 1" }), cell("b")], revision = 5) {
  const topics = new Topics();
  const document = new NotebookDocument(topics);
  document.applySnapshot(notebook(cells, revision));
  return { document, topics };
}

describe("commits", () => {
  it("apply values to their cells and leave the others as they are", () => {
    const { document } = fresh();
    const before = document.cells.get("b");
    expect(document.applyCommit(commit(6, { cells: { a: { code: "x = 2", code_revision: 6 } } }))).toBe("applied");
    expect(document.cells.get("a")?.cell).toMatchObject({ code: "x = 2", code_revision: 6, status: "idle" });
    expect(document.cells.get("b")).toBe(before);
    expect(document.revision).toBe(6);
  });

  it("are skipped when known already", () => {
    const { document } = fresh();
    expect(document.applyCommit(commit(5, { cells: { a: { code: "old" } } }))).toBe("old");
    expect(document.cells.get("a")?.cell.code).toBe("x = 1");
  });

  it("are refused after a gap", () => {
    const { document } = fresh();
    expect(document.applyCommit(commit(7, { name: "late" }))).toBe("gap");
    expect(document.meta?.name).toBe("Orders");
  });

  it("insert, remove and reorder cells", () => {
    const { document } = fresh();
    document.applyCommit(commit(6, { cells: { c: cell("c", { code_revision: 6 }) }, order: ["c", "a", "b"] }));
    expect(document.order).toEqual(["c", "a", "b"]);
    document.applyCommit(commit(7, { removed: ["a"], order: ["c", "b"] }));
    expect(document.order).toEqual(["c", "b"]);
    expect(document.cells.has("a")).toBe(false);
  });

  it("tell only those who listen to what changed", () => {
    const { document, topics } = fresh();
    const [onA, onB, onOrder] = [vi.fn(), vi.fn(), vi.fn()];
    topics.on(cellTopic("a"), onA);
    topics.on(cellTopic("b"), onB);
    topics.on("order", onOrder);
    document.applyCommit(commit(6, { cells: { a: { code: "y" } } }));
    expect([onA.mock.calls.length, onB.mock.calls.length, onOrder.mock.calls.length]).toEqual([1, 0, 0]);
  });
});

describe("a run", () => {
  it("shows its progress until the commit with its result arrives", () => {
    const { document } = fresh();
    document.applyStatus({ a: { status: "running", started_at: 1 } });
    document.appendStream("a", "stdout", "1\n");
    document.appendStream("a", "stdout", "2\n");
    expect(document.cells.get("a")?.live).toMatchObject({ status: "running", stdout: "1\n2\n" });
    document.applyCommit(commit(6, { cells: { a: { status: "success", stdout: "1\n2\n", run: null } } }));
    expect(document.cells.get("a")).toMatchObject({ live: null, cell: { stdout: "1\n2\n" } });
  });

  it("goes on when somebody edits the cell meanwhile, and through partial results", () => {
    const { document } = fresh();
    document.applyStatus({ a: { status: "running" } });
    document.applyCommit(commit(6, { cells: { a: { code: "z", status: "stale" } } }));
    document.applyCommit(commit(7, { cells: { a: { status: "running", stdout: "half" } } }));
    expect(document.cells.get("a")?.live?.status).toBe("running");
  });

  it("leaves the queue when it is interrupted, and when the run is over", () => {
    const { document } = fresh();
    document.applyStatus({ a: { status: "queued" }, b: { status: "queued" } });
    document.applyStatus({ a: { status: "idle" } });
    expect(document.cells.get("a")?.live).toBeNull();
    document.applyRunFinished(["a", "b"]);
    expect(document.cells.get("b")?.live).toBeNull();
  });

  it("replaces outputs by their display id, live and committed", () => {
    const output = (data: string) => ({ mime_type: "text/plain", data, url: null, metadata: {}, display_id: "bar" });
    const { document } = fresh([cell("a", { outputs: [output("old")] })]);
    document.appendOutput("a", output("0 %"));
    document.replaceOutput("a", output("50 %"));
    expect(document.cells.get("a")?.live?.outputs[0]?.data).toBe("50 %");
    expect(document.cells.get("a")?.cell.outputs[0]?.data).toBe("50 %");
  });
});
