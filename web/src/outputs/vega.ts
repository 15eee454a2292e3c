import type { Config } from "vega-lite";
import embed, { type VisualizationSpec } from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function theme(): Config {
  return {
    background: "transparent",
    font: "Inter Variable, system-ui, sans-serif",
    view: { stroke: null },
    mark: { color: color("--accent") },
    range: { category: ["--accent", "--num", "--ok", "--kw", "--run", "--fn", "--err"].map(color) },
    axis: {
      labelColor: color("--ink-2"),
      titleColor: color("--ink-2"),
      titleFontWeight: 500,
      gridColor: color("--line"),
      domainColor: color("--line-strong"),
      tickColor: color("--line-strong"),
      labelFontSize: 11,
      titleFontSize: 11,
    },
    legend: { labelColor: color("--ink-2"), titleColor: color("--ink-2"), titleFontWeight: 500 },
    title: { color: color("--ink"), fontWeight: 600 },
    header: { labelColor: color("--ink-2"), titleColor: color("--ink-2") },
  };
}

const refuse = () => Promise.reject(new Error("A chart may not load data from elsewhere; put it into the chart."));

/** Draws a Vega or Vega-Lite chart. Expressions are interpreted, since the page's policy forbids `eval`. */
export async function drawVega(target: HTMLElement, text: string, mode: "vega" | "vega-lite"): Promise<() => void> {
  const spec = JSON.parse(text) as VisualizationSpec;
  const result = await embed(target, spec, {
    mode,
    ast: true,
    expr: expressionInterpreter,
    actions: false,
    renderer: "svg",
    config: theme() as never,
    loader: { load: refuse, sanitize: refuse, http: refuse, file: refuse } as never,
  });
  return () => result.finalize();
}
