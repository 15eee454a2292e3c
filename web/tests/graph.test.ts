import { expect, it } from "vitest";
import { dependentsOf, descendantsOf } from "../src/store/graph";
import { cell } from "./fakes";

const chain = [
  cell("a", { writes: ["x"] }),
  cell("b", { reads: ["x"], writes: ["y"] }),
  cell("c", { reads: ["y"] }),
  cell("d", { reads: ["z"] }),
];

it("finds everything that depends on a cell, however far", () => {
  expect([...descendantsOf("a", chain)].sort()).toEqual(["a", "b", "c"]);
  expect([...descendantsOf("d", chain)]).toEqual(["d"]);
});

it("ends in a cycle and does not count a cell as its own dependent", () => {
  const cycle = [cell("a", { reads: ["y"], writes: ["x"] }), cell("b", { reads: ["x", "y"], writes: ["y"] })];
  expect([...descendantsOf("a", cycle)].sort()).toEqual(["a", "b"]);
  expect(dependentsOf(cycle).get("b")).toEqual(new Set(["a"]));
});

it("follows every writer of a name that is written twice", () => {
  const twice = [cell("a", { writes: ["x"] }), cell("b", { writes: ["x"] }), cell("c", { reads: ["x"] })];
  expect(descendantsOf("a", twice).has("c")).toBe(true);
  expect(descendantsOf("b", twice).has("c")).toBe(true);
});
