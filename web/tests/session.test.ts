import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Actions } from "../src/store/actions";
import { savedWords } from "../src/store/saved";
import { Session } from "../src/store/session";
import { cell, closeAll, commit, FakeSocket, newest, notebook, open, ready, settle, useFakeServer } from "./fakes";

beforeEach(() => {
  vi.useFakeTimers();
  useFakeServer();
});
afterEach(() => {
  closeAll();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const words = (session: Session) => savedWords(session.saved);
const textOf = (session: Session, id: string) => session.view(id)?.draft?.text ?? session.view(id)?.cell.code;
const actionsOf = (session: Session) =>
  new Actions(
    session,
    () => undefined,
    () => undefined,
  );

describe("editing", () => {
  it("sends the text after a pause, and says saved only when it is acknowledged", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    expect(words(session)).toBe("Saved");
    session.edits.type("a", "xy");
    expect(words(session)).toBe("Saving");
    expect(socket.count("edit_cell")).toBe(0);
    await vi.advanceTimersByTimeAsync(400);
    const edit = socket.last("edit_cell");
    expect(edit).toMatchObject({ cell_id: "a", code: "xy", expected_revision: 1 });
    expect(words(session)).toBe("Saving");
    socket.say(commit(2, { cells: { a: { code: "xy", code_revision: 2 } } }), {
      type: "ack",
      id: edit.id,
      revision: 2,
    });
    await settle();
    expect(session.saved).toEqual({ kind: "saved", revision: 2 });
    expect(session.edits.get("a")).toBeNull();
  });

  it("keeps one edit of a cell in flight; the newest text follows on the acknowledged base", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    session.edits.type("a", "x1");
    session.edits.flush("a");
    session.edits.type("a", "x12");
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.count("edit_cell")).toBe(1);
    socket.say({ type: "ack", id: socket.last("edit_cell").id, revision: 2 });
    await settle();
    expect(socket.count("edit_cell")).toBe(2);
    expect(socket.last("edit_cell")).toMatchObject({ code: "x12", expected_revision: 2 });
  });

  it("does not fall back to the older text when the ack overtakes the commit", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    session.edits.type("a", "new");
    session.edits.flush("a");
    socket.say({ type: "ack", id: socket.last("edit_cell").id, revision: 2 });
    await settle();
    expect(textOf(session, "a")).toBe("new");
  });

  it("sends a pending edit before the run that needs it", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    session.edits.type("a", "print(1)");
    await actionsOf(session).run(["a"]);
    const types = socket.sent.map((frame) => frame.type);
    expect(types).toEqual(["edit_cell", "run"]);
  });

  it("waits with the run until the newest text could be sent", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    session.edits.type("a", "1");
    session.edits.flush("a");
    session.edits.type("a", "12");
    const run = actionsOf(session).run(["a"]);
    await settle();
    expect(socket.count("run")).toBe(0);
    socket.say({ type: "ack", id: socket.last("edit_cell").id, revision: 2 });
    await run;
    expect(socket.sent.map((frame) => frame.code ?? frame.type)).toEqual(["1", "12", "run"]);
  });
});

describe("reconnecting", () => {
  it("continues from the last revision and sends again what was not acknowledged, with the same key", async () => {
    const { session, socket } = open([cell("a", { code: "x" })], 3);
    session.edits.type("a", "offline");
    session.edits.flush("a");
    const { key } = socket.last("edit_cell");
    socket.break();
    expect(words(session)).toBe("Offline, 1 edit kept here");
    await vi.advanceTimersByTimeAsync(1000);
    const second = newest();
    expect(second).not.toBe(socket);
    expect(second.url.searchParams.get("since")).toBe("3");
    second.say(ready(3));
    expect(second.last("edit_cell")).toMatchObject({ code: "offline", key });
    expect(second.count("edit_cell")).toBe(1);
  });

  it("connects again after a gap in the revisions", async () => {
    const { session, socket } = open([cell("a")], 3);
    socket.say(commit(5, { name: "lost one" }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.all).toHaveLength(2);
    newest().say(commit(4, {}), commit(5, { name: "all here" }), ready(5));
    expect(session.document.meta).toMatchObject({ name: "all here", revision: 5 });
  });

  it("keeps local text through a snapshot", () => {
    const { session, socket } = open([cell("a", { code: "x" })], 3);
    session.edits.type("a", "mine");
    socket.say({ type: "snapshot", notebook: notebook([cell("a", { code: "y", code_revision: 9 })], 9) });
    expect(textOf(session, "a")).toBe("mine");
  });

  it("waits longer each time, and at once when the network returns", async () => {
    const { socket } = open([cell("a")]);
    socket.break();
    await vi.advanceTimersByTimeAsync(300);
    expect(FakeSocket.all).toHaveLength(2);
    newest().break();
    dispatchEvent(new Event("online"));
    expect(FakeSocket.all).toHaveLength(3);
  });

  it("tries the same edit again while the store refuses, and says why", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    session.edits.type("a", "y");
    session.edits.flush("a");
    const edit = socket.last("edit_cell");
    socket.say({ type: "problem", id: edit.id, status: 503, title: "Not saved", detail: "disk full" });
    await settle();
    expect(words(session)).toBe("Not saved: disk full");
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.count("edit_cell")).toBe(2);
    expect(socket.last("edit_cell").key).toBe(edit.key);
    socket.say({ type: "ack", id: edit.id, revision: 2 });
    await settle();
    expect(words(session)).toBe("Saved");
  });
});

describe("what the browser keeps", () => {
  it("survives a reload and goes out with the same key", async () => {
    const first = open([cell("a", { code: "x" }), cell("b", { code: "b" })]);
    first.session.edits.type("a", "sent, not acknowledged");
    first.session.edits.flush("a");
    first.session.edits.type("b", "not even sent");
    const { key } = first.socket.last("edit_cell");
    first.socket.break();

    const second = open([cell("a", { code: "x" }), cell("b", { code: "b" })]);
    const edits = second.socket.sent.filter((frame) => frame.type === "edit_cell");
    expect(edits.map((frame) => [frame.cell_id, frame.code])).toEqual([
      ["a", "sent, not acknowledged"],
      ["b", "not even sent"],
    ]);
    expect(edits[0]?.key).toBe(key);
  });

  it("holds operations too: a cell inserted offline comes back with its text", async () => {
    const { session, socket } = open([cell("a")]);
    socket.break();
    const id = actionsOf(session).insert("python", "a", "");
    session.edits.type(id, "y = 2");
    expect(session.order).toEqual(["a", id]);
    expect(words(session)).toBe("Offline, 2 edits kept here");

    const again = open([cell("a")]);
    expect(again.session.order).toEqual(["a", id]);
    const insert = again.socket.last("insert_cell");
    expect(again.socket.count("edit_cell")).toBe(0);
    again.socket.say(commit(2, { cells: { [id]: cell(id, { code_revision: 2 }) }, order: ["a", id] }), {
      type: "ack",
      id: insert.id,
      revision: 2,
    });
    await settle();
    expect(again.socket.last("edit_cell")).toMatchObject({ cell_id: id, code: "y = 2", expected_revision: 2 });
  });

  it("is gone once it is acknowledged", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    session.edits.type("a", "y");
    session.edits.flush("a");
    expect(localStorage.length).toBe(1);
    socket.say({ type: "ack", id: socket.last("edit_cell").id, revision: 2 });
    await settle();
    expect(localStorage.length).toBe(0);
  });

  it("says so when the browser refuses to keep it", () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    session.edits.type("a", "y");
    socket.break();
    expect(words(session)).toBe("Offline, 1 edit only in this tab");
    vi.restoreAllMocks();
  });
});

describe("a conflict", () => {
  async function conflicted(current: ReturnType<typeof cell> | null) {
    const opened = open([cell("a", { code: "base" }), cell("b")]);
    opened.session.edits.type("a", "mine");
    opened.session.edits.flush("a");
    const edit = opened.socket.last("edit_cell");
    opened.socket.say({
      type: "problem",
      id: edit.id,
      status: 409,
      title: "Conflict",
      detail: "changed meanwhile",
      current,
    });
    await settle();
    return opened;
  }
  const theirs = cell("a", { code: "theirs", code_revision: 7 });

  it("shows both texts and names the cell", async () => {
    const { session } = await conflicted(theirs);
    expect(words(session)).toBe("Conflict in cell 1");
    expect(textOf(session, "a")).toBe("mine");
    expect(session.edits.get("a")?.trouble).toMatchObject({ kind: "conflict", theirs: { code: "theirs" } });
  });

  it("is not sent again by typing on", async () => {
    const { session, socket } = await conflicted(theirs);
    session.edits.type("a", "mine, longer");
    await vi.advanceTimersByTimeAsync(5000);
    expect(socket.count("edit_cell")).toBe(1);
    expect(textOf(session, "a")).toBe("mine, longer");
  });

  it("keeps mine on top of theirs", async () => {
    const { session, socket } = await conflicted(theirs);
    actionsOf(session).keepMine("a");
    expect(socket.last("edit_cell")).toMatchObject({ code: "mine", expected_revision: 7 });
  });

  it("takes theirs", async () => {
    const { session, socket } = await conflicted(theirs);
    socket.say(commit(2, { cells: { a: { code: "theirs", code_revision: 2 } } }));
    actionsOf(session).takeTheirs("a");
    expect(textOf(session, "a")).toBe("theirs");
    expect(words(session)).toBe("Saved");
  });

  it("with a deletion keeps the cell in sight, and mine becomes a new cell", async () => {
    const { session, socket } = open([cell("a", { code: "base" }), cell("b")]);
    session.edits.type("a", "mine");
    socket.say(commit(2, { removed: ["a"], order: ["b"] }));
    expect(session.order).toEqual(["a", "b"]);
    expect(session.edits.get("a")?.trouble).toEqual({ kind: "conflict", theirs: null });
    actionsOf(session).keepMine("a");
    const insert = socket.last("insert_cell");
    expect(insert).toMatchObject({ code: "mine", after_cell_id: null });
    expect(session.order).toEqual([insert.cell_id, "b"]);
  });

  it("does not run the cell before its reader has decided", async () => {
    const { session, socket } = await conflicted(theirs);
    await actionsOf(session).run(["a"]);
    expect(socket.count("run")).toBe(0);
  });
});

describe("operations", () => {
  it("are on the page at once and do not flicker between ack and commit", async () => {
    const { session, socket } = open([cell("a"), cell("b"), cell("c")]);
    actionsOf(session).move("c", -1);
    expect(session.order).toEqual(["a", "c", "b"]);
    const move = socket.last("move_cell");
    expect(move).toMatchObject({ cell_id: "c", after_cell_id: "a" });
    socket.say({ type: "ack", id: move.id, revision: 2 });
    await settle();
    expect(session.order).toEqual(["a", "c", "b"]);
    socket.say(commit(2, { order: ["a", "c", "b"] }));
    expect(session.order).toEqual(["a", "c", "b"]);
  });

  it("are taken back when the server refuses", async () => {
    const { session, socket } = open([cell("a"), cell("b")]);
    const said = vi.fn();
    session.onFailure = said;
    actionsOf(session).remove("a");
    expect(session.order).toEqual(["b"]);
    socket.say({
      type: "problem",
      id: socket.last("delete_cell").id,
      status: 422,
      title: "Refused",
      detail: "not now",
    });
    await settle();
    expect(session.order).toEqual(["a", "b"]);
    expect(said).toHaveBeenCalledWith("not now");
  });

  it("undo a deletion with the same text in the same place", async () => {
    const { session, socket } = open([cell("a"), cell("b", { code: "keep me" }), cell("c")]);
    let undo = () => undefined as void;
    new Actions(
      session,
      () => undefined,
      (_words, run) => (undo = run),
    ).remove("b");
    socket.say(commit(2, { removed: ["b"], order: ["a", "c"] }), {
      type: "ack",
      id: socket.last("delete_cell").id,
      revision: 2,
    });
    await settle();
    undo();
    expect(socket.last("insert_cell")).toMatchObject({ code: "keep me", after_cell_id: "a" });
  });

  it("move the selection to a neighbour when a cell is deleted", () => {
    const { session } = open([cell("a"), cell("b")]);
    actionsOf(session).remove("b");
    expect(session.focus.selected).toBe("a");
  });
});

describe("the door", () => {
  it("is closed: the page says so and keeps what was typed", async () => {
    const { session, socket } = open([cell("a", { code: "x" })]);
    session.edits.type("a", "y");
    socket.say({ type: "problem", status: 401, title: "Not signed in", detail: "no token" });
    expect(session.connection).toBe("unauthorized");
    expect(words(session)).toBe("Offline, 1 edit kept here");
  });
});
