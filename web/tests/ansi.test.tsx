import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Ansi } from "../src/outputs/Ansi";
import { afterCarriageReturns, parseAnsi } from "../src/outputs/ansi";
import { chunksOf, previewOf } from "../src/outputs/long";

describe("ANSI text", () => {
  it("becomes spans with colour and weight", () => {
    const spans = parseAnsi("a \x1b[1;31mred\x1b[0m b");
    expect(spans.map(({ text, bold, color }) => [text, bold, color])).toEqual([
      ["a ", false, ""],
      ["red", true, "var(--err)"],
      [" b", false, ""],
    ]);
  });

  it("reads the 256 colours and true colours", () => {
    expect(parseAnsi("\x1b[38;5;196mx")[0]?.color).toBe("rgb(255 0 0)");
    expect(parseAnsi("\x1b[38;2;1;2;3mx")[0]?.color).toBe("rgb(1 2 3)");
  });

  it("drops what would move a terminal's cursor", () => {
    expect(
      parseAnsi("\x1b[2K\x1b]0;title\x07one\x1b[A\x07two")
        .map((span) => span.text)
        .join(""),
    ).toBe("onetwo");
  });

  it("shows the last state of a progress bar", () => {
    expect(afterCarriageReturns("10 %\r50 %\r100 %\ndone\r\n")).toBe("100 %\ndone\n");
  });

  it("never becomes markup", () => {
    const markup = renderToStaticMarkup(
      <Ansi text={'\x1b[31m<img src=x onerror="alert(1)">\x1b[0m<script>1</script>'} />,
    );
    expect(markup).not.toMatch(/<(img|script)/);
    expect(markup).toContain("&lt;img");
  });
});

describe("long text", () => {
  it("is folded with its beginning and its end in sight", () => {
    const text = Array.from({ length: 10_000 }, (_, index) => `line ${index}\n`).join("");
    const preview = previewOf(text);
    expect(preview).toMatchObject({ folded: true, lines: 10_000, hiddenLines: 9_955 });
    expect(preview.head.startsWith("line 0\n")).toBe(true);
    expect(preview.tail.endsWith("line 9999\n")).toBe(true);
  });

  it("is folded in one line as well, and nothing is lost or doubled when it is opened", () => {
    const text = "x".repeat(1_000_000);
    const preview = previewOf(text);
    expect(preview.head.length + preview.tail.length).toBeLessThan(20_000);
    expect(chunksOf(text).join("")).toBe(text);
  });

  it("is shown as it is when it is short", () => {
    expect(previewOf("one\ntwo\n")).toMatchObject({ folded: false, lines: 2, head: "one\ntwo\n" });
  });
});
