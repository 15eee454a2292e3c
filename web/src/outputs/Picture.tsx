import { useEffect, useState } from "react";
import { getBlob } from "../wire/rest";
import type { Output } from "../wire/types";
import { useText } from "./useText";

const SVG = "image/svg+xml";

/** An SVG as an image: the browser runs no script in it and lets it load nothing. */
function svgUrl(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: SVG }));
}

function sizeOf(output: Output): { width?: number; height?: number } {
  const forType = (output.metadata[output.mime_type] ?? output.metadata) as Record<string, unknown>;
  const pixels = (value: unknown) => (typeof value === "number" && value > 0 && value < 10_000 ? value : undefined);
  const [width, height] = [pixels(forType.width), pixels(forType.height)];
  return { ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) };
}

export function Picture({ output }: { output: Output }) {
  return output.mime_type === SVG ? <Drawing output={output} /> : <Photograph output={output} />;
}

/** An SVG is fetched as text: the server gives none of its addresses a type that could run. */
function Drawing({ output }: { output: Output }) {
  const loaded = useText(output);
  const text = loaded.state === "ready" ? loaded.text : null;
  const [source, setSource] = useState("");
  useEffect(() => {
    if (text === null) return;
    const url = svgUrl(text);
    setSource(url);
    return () => URL.revokeObjectURL(url);
  }, [text]);
  if (loaded.state === "failed") return <Lost reason={loaded.reason} />;
  return source === "" ? null : <Shown source={source} output={output} />;
}

function Photograph({ output }: { output: Output }) {
  const { data, url, mime_type } = output;
  const source = data === null ? (url ?? "") : `data:${mime_type};base64,${data.replaceAll("\n", "")}`;
  const [lost, setLost] = useState({ source: "", reason: "" });
  if (source === "") return null;
  if (lost.source === source) return <Lost reason={lost.reason} />;
  const explain = () => void whyLost(data === null ? url : null).then((reason) => setLost({ source, reason }));
  return <Shown source={source} output={output} onError={explain} />;
}

/** An image that fails does not say why: its address is asked once more. */
async function whyLost(url: string | null): Promise<string> {
  try {
    if (url !== null) await getBlob(url);
  } catch (reason) {
    return (reason as Error).message;
  }
  return "The browser cannot show this picture: its data is no picture of that type. Run the cell again to make it anew.";
}

function Shown({ source, output, onError }: { source: string; output: Output; onError?(): void }) {
  return (
    <img
      src={source}
      alt="Picture from the cell"
      data-paper=""
      decoding="async"
      {...(onError ? { onError } : {})}
      {...sizeOf(output)}
    />
  );
}

function Lost({ reason }: { reason: string }) {
  return <span className="waiting">{reason}</span>;
}
