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
  const save = () => {
    const url = output.url ?? URL.createObjectURL(blobOf(output));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = `output.${output.mime_type.split("/")[1]?.replace(/[^a-z0-9]+/gi, "-") ?? "bin"}`;
    anchor.click();
    if (output.url === null) setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <div className="fold">
      <span className="mono">{output.mime_type}</span>
      <button type="button" className="link" onClick={save}>
        Download
      </button>
    </div>
  );
}
