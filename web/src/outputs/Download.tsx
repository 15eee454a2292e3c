import { useState } from "react";
import { getBlob } from "../wire/rest";
import type { Output } from "../wire/types";

function blobOf(output: Output): Blob {
  const data = output.data ?? "";
  const isText =
    output.mime_type.startsWith("text/") || output.mime_type.endsWith("json") || output.mime_type.endsWith("xml");
  if (isText) return new Blob([data], { type: "text/plain" });
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: "application/octet-stream" });
}

/** An output that the page cannot show: its type, and a way to keep it. */
export function Download({ output }: { output: Output }) {
  const [failure, setFailure] = useState("");
  const save = async () => {
    try {
      const url = URL.createObjectURL(output.url === null ? blobOf(output) : await getBlob(output.url));
      const anchor = document.createElement("a");
      anchor.href = url;
      anchor.download = `output.${output.mime_type.split("/")[1]?.replace(/[^a-z0-9]+/gi, "-") ?? "bin"}`;
      anchor.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
      setFailure("");
    } catch (reason) {
      setFailure((reason as Error).message);
    }
  };
  return (
    <div className="fold">
      <span className="mono">{output.mime_type}</span>
      <button type="button" className="link" onClick={() => void save()}>
        Download
      </button>
      {failure !== "" && <span>{failure}</span>}
    </div>
  );
}
