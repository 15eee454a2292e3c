import { describe, expect, it } from "vitest";
import { withCellNames } from "../src/outputs/ErrorBox";
import { labelOf } from "../src/panel/Graph";
import { drawingOf } from "../src/panel/layout";
import { cell } from "./fakes";

describe("the graph", () => {
  const place = (cells: ReturnType<typeof cell>[]) =>
    Object.fromEntries(drawingOf(cells, (each) => each.id).nodes.map((node) => [node.id, node]));

  it("puts a cell below everything that it depends on", () => {
    const nodes = place([
      cell("c", { reads: ["x", "y"] }),
      cell("a", { writes: ["x"] }),
      cell("b", { reads: ["x"], writes: ["y"] }),
    ]);
    expect(nodes.a?.y).toBeLessThan(nodes.b?.y ?? 0);
    expect(nodes.b?.y).toBeLessThan(nodes.c?.y ?? 0);
  });

  it("draws cycles and many cells without overlaps", () => {
    const cycle = [cell("a", { reads: ["y"], writes: ["x"] }), cell("b", { reads: ["x"], writes: ["y"] })];
    const many = Array.from({ length: 10 }, (_, index) => cell(`n${index}`));
    const drawing = drawingOf([...cycle, ...many], (each) => each.id);
    expect(new Set(drawing.nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(12);
    expect(drawing.edges).toHaveLength(2);
  });

  it("labels a cell by the name that others read, and not by what it imports", () => {
    const load = cell("a", { code: "import pandas as pd\nsales = pd.read()\ntmp = 1", writes: ["pd", "sales", "tmp"] });
    expect(labelOf(load, new Set(["pd", "sales"]), "cell 1")).toBe("sales");
    expect(labelOf(cell("b", { code: "import os", writes: ["os"] }), new Set(["os"]), "cell 2")).toBe("cell 2");
  });
});

it("errors name cells as the page does", () => {
  const nameOf = (id: string) => (id === "fgpini8it5" ? "cell 3" : null);
  expect(withCellNames("also defined by cell fgpini8it5. A cell that depends", nameOf)).toBe(
    "also defined by cell 3. A cell that depends",
  );
});
