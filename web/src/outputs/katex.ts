import katex from "katex";
import "katex/dist/katex.min.css";

/** Sets a formula into `target`; false if it cannot be read. `trust: false` keeps links and HTML out. */
export function setFormula(formula: string, target: HTMLElement): boolean {
  try {
    katex.render(formula, target, { displayMode: true, trust: false, throwOnError: true, strict: "ignore" });
    return true;
  } catch (reason) {
    if (reason instanceof katex.ParseError) return false;
    throw reason;
  }
}
