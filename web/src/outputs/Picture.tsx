import { useEffect, useState } from "react";
import type { Output } from "../wire/types";

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
  const inline = output.data;
  const isSvg = output.mime_type === SVG;
  const [blobUrl, setBlobUrl] = useState("");
  useEffect(() => {
    if (!isSvg || inline === null) return;
    const url = svgUrl(inline);
    setBlobUrl(url);
    return () => URL.revokeObjectURL(url);
  }, [isSvg, inline]);
  const direct =
    inline === null ? (output.url ?? "") : `data:${output.mime_type};base64,${inline.replaceAll("\n", "")}`;
  const source = isSvg && inline !== null ? blobUrl : direct;
  if (source === "") return null;
  return <img src={source} alt="Picture from the cell" data-paper="" decoding="async" {...sizeOf(output)} />;
}
