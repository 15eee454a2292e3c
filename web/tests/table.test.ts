import { describe, expect, it } from "vitest";
import { codePoints, codeUnits } from "../src/editor/points";
import { nextSort, opsOf, pagesOf, parseTable, shown, type Table, tsv, widths } from "../src/outputs/table/model";
import { bytes } from "../src/panel/Variables";

const TABLE: Table = {
  table: "t",
  columns: [
    { name: "", type: "int64", kind: "integer" },
    { name: "region", type: "str", kind: "text" },
  ],
  index: 1,
  rows: [
    [0, "Nordics"],
    [1, null],
  ],
  total: 1_000_000,
  total_columns: 1,
};

describe("tables", () => {
  it("are read from their output, or not at all", () => {
    expect(parseTable(JSON.stringify(TABLE))).toEqual(TABLE);
    expect(parseTable("{")).toBeNull();
    expect(parseTable('{"columns": 1}')).toBeNull();
  });

  it("show values as they are", () => {
    expect([null, undefined, true, 1.5, "inf", ""].map(shown)).toEqual(["–", "–", "true", "1.5", "inf", ""]);
  });

  it("have columns that are wide enough, for later rows of the index too", () => {
    expect(widths(TABLE)).toEqual([9, 13]);
    const long = { ...TABLE, rows: [[0, "x".repeat(500)]] };
    expect(widths(long)[1]).toBe(36);
  });

  it("are sorted up, down, and not", () => {
    const up = nextSort([], 1);
    expect(up).toEqual([{ column: 1, descending: false }]);
    const down = nextSort(up, 1);
    expect(down).toEqual([{ column: 1, descending: true }]);
    expect(nextSort(down, 1)).toEqual([]);
    expect(nextSort(down, 0)).toEqual([{ column: 0, descending: false }]);
  });

  it("offer conditions that fit the column", () => {
    expect(opsOf("text")[0]).toBe("contains");
    expect(opsOf("number")).not.toContain("contains");
    expect(opsOf("boolean")).toEqual(["eq", "ne", "null", "not_null"]);
  });

  it("are copied as lines and tabs", () => {
    expect(
      tsv(TABLE.columns, [
        [0, "a\tb\nc"],
        [1, null],
      ]),
    ).toBe("\tregion\n0\ta b c\n1\t");
  });

  it("are fetched in pages", () => {
    expect(pagesOf(0, 199)).toEqual([0]);
    expect(pagesOf(150, 420)).toEqual([0, 1, 2]);
  });
});

describe("places in code", () => {
  it("are counted in code points and in UTF-16", () => {
    const text = "a🙂b";
    expect([0, 1, 3, 4].map((units) => codePoints(text, units))).toEqual([0, 1, 2, 3]);
    expect([0, 1, 2, 3, 9].map((points) => codeUnits(text, points))).toEqual([0, 1, 3, 4, 4]);
  });
});

describe("sizes", () => {
  it("have one to three digits and a unit", () => {
    expect([0, 999, 1000, 12_345, 41_000_000, 2_500_000_000].map(bytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "12 kB",
      "41 MB",
      "2.5 GB",
    ]);
  });
});
