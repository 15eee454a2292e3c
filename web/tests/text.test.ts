import { describe, expect, it } from "vitest";
import { minimalChange } from "../src/editor/change";
import { highlightPython } from "../src/editor/highlight";
import { diffLines } from "../src/log/diff";
import { nearestTick, ticksOf } from "../src/log/ticks";
import { bareLatex } from "../src/outputs/Latex";
import { headingsIn } from "../src/shell/Outline";
import { backoffMs } from "../src/wire/backoff";

describe("the smallest change", () => {
  it.each([
    ["a = 1", "a = 12", { from: 5, to: 5, insert: "2" }],
    ["aaa", "aa", { from: 2, to: 3, insert: "" }],
    ["", "x", { from: 0, to: 0, insert: "x" }],
    ["same", "same", null],
  ])("from %j to %j", (before, after, change) => {
    expect(minimalChange(before, after)).toEqual(change);
  });
});

describe("highlighting", () => {
  const kinds = (code: string) =>
    highlightPython(code)
      .filter((token) => token.kind !== "")
      .map((token) => [token.kind, token.text]);

  it("knows keywords, strings, numbers, calls and comments", () => {
    expect(kinds('from a import b\nf(x, "s", 1.5)  # c')).toEqual([
      ["kw", "from"],
      ["kw", "import"],
      ["fn", "f"],
      ["str", '"s"'],
      ["num", "1.5"],
      ["com", "# c"],
    ]);
  });

  it("takes soft keywords for names where they are names", () => {
    expect(kinds("match = 1\nmatch x:")).toEqual([
      ["num", "1"],
      ["kw", "match"],
    ]);
  });

  it("loses no character", () => {
    const code = 'x = """\n# not a comment\n"""\n@dec\ndef ü(a): return f"{a}" + \'\\\'\'';
    expect(
      highlightPython(code)
        .map((token) => token.text)
        .join(""),
    ).toBe(code);
  });
});

describe("the difference of two texts", () => {
  it("names the lines of either side", () => {
    expect(diffLines("a\nb\nc", "a\nx\nc").map((line) => `${line.kind} ${line.text}`)).toEqual([
      "same a",
      "now x",
      "then b",
      "same c",
    ]);
  });
});

describe("the log line", () => {
  const entry = (revision: number, at: number, kind = "cell_edited") => ({
    revision,
    at,
    kinds: [kind],
    commit_id: "",
    authors: [],
    summary: "",
  });

  it("keeps the order, marks runs, and puts a pause between what is far apart", () => {
    const ticks = ticksOf([entry(1, 0), entry(2, 100), entry(3, 3_600_000, "cell_ran")]);
    expect(ticks.map((tick) => tick.weight)).toEqual(["edit", "edit", "run"]);
    expect(ticks[0]?.x).toBe(0);
    expect(ticks[2]?.x).toBe(1);
    expect(ticks[1]?.x).toBeLessThan(0.2);
    expect(nearestTick(ticks, 0.9)?.revision).toBe(3);
  });
});

it("formulas lose the signs around them", () => {
  expect(bareLatex("$\\displaystyle x^2$")).toBe("\\displaystyle x^2");
  expect(bareLatex("$$x$$")).toBe("x");
  expect(bareLatex("x + y")).toBe("x + y");
});

it("headings are found outside of code blocks", () => {
  const found = headingsIn([{ id: "a", code: "# One\n\n```\n# not one\n```\n## *Two*" }]);
  expect(found.map(({ depth, words }) => [depth, words])).toEqual([
    [1, "One"],
    [2, "Two"],
  ]);
});

it("the pause before the next attempt grows, is jittered and has a limit", () => {
  expect(backoffMs(0, () => 1)).toBe(300);
  expect(backoffMs(3, () => 0)).toBe(720);
  expect(backoffMs(50, () => 1)).toBe(15_000);
});
