import { lazy, memo, Suspense } from "react";
import type { Output } from "../wire/types";
import { Chart, type ChartKind } from "./Chart";
import { Download } from "./Download";
import { Frame } from "./Frame";
import { JsonTree } from "./json";
import { Latex } from "./Latex";
import { LongText } from "./LongText";
import { Markdown } from "./Markdown";
import { Picture } from "./Picture";
import { useText } from "./useText";

/** Fetched when the first table is shown. */
const DataTable = lazy(() => import("./table/DataTable"));
const TABLE = "application/vnd.quire.table+json";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"]);

/** `application/json`, `...+json`, and `...v6.json` as Altair 6 writes it. */
const JSON_TYPE = /[/+.]json$/;

function chartKind(mimeType: string): ChartKind | null {
  if (mimeType.startsWith("application/vnd.plotly.")) return "plotly";
  if (mimeType.startsWith("application/vnd.vegalite.")) return "vega-lite";
  return mimeType.startsWith("application/vnd.vega.") ? "vega" : null;
}

function isTextual(mimeType: string): boolean {
  return mimeType.startsWith("text/") || JSON_TYPE.test(mimeType);
}

/** One output of a cell, by its MIME type. */
export const OutputView = memo(function OutputView({ output }: { output: Output }) {
  if (PICTURES.has(output.mime_type)) {
    return (
      <div className="out">
        <Picture output={output} />
      </div>
    );
  }
  if (isTextual(output.mime_type)) return <TextualOutput output={output} />;
  return (
    <div className="out">
      <Download output={output} />
    </div>
  );
});

function TextualOutput({ output }: { output: Output }) {
  const loaded = useText(output);
  if (loaded.state === "loading") return <div className="out waiting">Fetching the output</div>;
  if (loaded.state === "failed") return <div className="out waiting">{loaded.reason}</div>;
  const chart = chartKind(output.mime_type);
  if (chart) return <Chart kind={chart} text={loaded.text} />;
  return <div className="out">{bodyOf(output.mime_type, loaded.text)}</div>;
}

function bodyOf(mimeType: string, text: string) {
  if (mimeType === "text/html") return <Frame html={text} />;
  if (mimeType === "text/markdown") return <Markdown source={text} />;
  if (mimeType === "text/latex") return <Latex source={text} />;
  if (mimeType === TABLE) {
    return (
      <Suspense fallback={<span className="waiting">Fetching the table</span>}>
        <DataTable text={text} />
      </Suspense>
    );
  }
  if (JSON_TYPE.test(mimeType)) return <JsonTree text={text} />;
  return <LongText text={text} label="Output" />;
}
