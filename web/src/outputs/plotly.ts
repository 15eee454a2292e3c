import Plotly from "plotly.js-strict-dist-min";

interface Figure {
  data?: unknown[];
  layout?: Record<string, unknown>;
}

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The background of the template that plotly.py puts into every figure whose author chose none. */
const DEFAULT_BACKGROUND = "#E5ECF6";

/** The colours that plotly.express writes into the traces of such a figure, in its order. */
const DEFAULT_COLOURS = ["#636efa", "#EF553B", "#00cc96", "#ab63fa", "#FFA15A", "#19d3f3", "#FF6692"];
const OUR_COLOURS = ["--accent", "--num", "--ok", "--kw", "--run", "--fn", "--err"];

function inOurColours(data: unknown[]): unknown[] {
  const text = DEFAULT_COLOURS.reduce(
    (before, theirs, index) => before.replaceAll(`"${theirs}"`, `"${color(OUR_COLOURS[index] ?? "--accent")}"`),
    JSON.stringify(data),
  );
  return JSON.parse(text) as unknown[];
}

function paperTemplate(): object {
  const axis = { gridcolor: color("--line"), zerolinecolor: color("--line-strong"), linecolor: color("--line-strong") };
  return {
    layout: {
      font: { family: "Inter Variable, system-ui, sans-serif", size: 12, color: color("--ink-2") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      colorway: OUR_COLOURS.map(color),
      xaxis: axis,
      yaxis: axis,
      margin: { l: 56, r: 20, t: 44, b: 44 },
    },
  };
}

/** Whether the figure's author chose no template, so that it may take the page's paper and ink. */
function isPlain(layout: Record<string, unknown>): boolean {
  const template = layout.template as { layout?: { plot_bgcolor?: string } } | undefined;
  return template === undefined || template.layout?.plot_bgcolor === DEFAULT_BACKGROUND;
}

/** Draws a Plotly figure; only its data and layout are taken, so it cannot switch on editing or uploads. */
export async function drawPlotly(target: HTMLElement, text: string): Promise<() => void> {
  const { data = [], layout = {} } = JSON.parse(text) as Figure;
  const plain = isPlain(layout);
  const sized = { ...layout, ...(plain ? { template: paperTemplate() } : {}), autosize: layout.width === undefined };
  await Plotly.newPlot(target, plain ? inOurColours(data) : data, sized, {
    responsive: true,
    displaylogo: false,
    displayModeBar: "hover",
    plotlyServerURL: "",
  });
  return () => Plotly.purge(target);
}
