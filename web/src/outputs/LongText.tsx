import { useEffect, useMemo, useState } from "react";
import { getText } from "../wire/rest";
import { Ansi } from "./Ansi";
import { chunksOf, previewOf, sizeWords } from "./long";

interface Props {
  text: string;
  /** Where all of the text is, when `text` is only its beginning. */
  url?: string | null;
  /** For the screen reader: "Output", "Printed text". */
  label: string;
}

/** Printed text: short as it is, long folded with its size stated, all of it on request. */
export function LongText({ text: given, url = null, label }: Props) {
  const { text, complete, failure, fetchAll } = useWhole(given, url);
  const [unfolded, setUnfolded] = useState(false);
  const preview = useMemo(() => previewOf(text), [text]);

  if (text === "" && !complete) return <span className="waiting">{failure || "Fetching the text"}</span>;
  if (unfolded && complete) return <WholeText text={text} label={label} onFold={() => setUnfolded(false)} />;
  if (!preview.folded && complete) {
    return (
      <pre>
        <Ansi text={text} />
      </pre>
    );
  }
  const showAll = () => {
    setUnfolded(true);
    void fetchAll();
  };
  return (
    <>
      <pre>
        <Ansi text={preview.head} />
      </pre>
      <div className="fold">
        <button type="button" className="link" onClick={showAll}>
          {complete
            ? `Show all ${preview.lines.toLocaleString("en")} lines, ${sizeWords(text.length)}`
            : "Show all of it"}
        </button>
        <span>{failure || foldNote(preview.hiddenLines, complete)}</span>
      </div>
      {preview.tail !== "" && (
        <pre>
          <Ansi text={preview.tail} />
        </pre>
      )}
    </>
  );
}

/** The text as far as it is here. If nothing of it came along it is fetched at once, else when it is asked for. */
function useWhole(given: string, url: string | null) {
  const [fetched, setFetched] = useState<{ url: string; text: string } | null>(null);
  const [failure, setFailure] = useState("");
  const whole = fetched !== null && fetched.url === url ? fetched.text : null;
  const fetchAll = async () => {
    if (url === null || whole !== null) return;
    try {
      setFetched({ url, text: await getText(url) });
      setFailure("");
    } catch (reason) {
      setFailure((reason as Error).message);
    }
  };
  useEffect(() => {
    if (given === "") void fetchAll();
  }, [given, url]);
  return { text: whole ?? given, complete: url === null || whole !== null, failure, fetchAll };
}

function foldNote(hiddenLines: number, complete: boolean): string {
  if (!complete) return "This is only the beginning";
  return hiddenLines > 0 ? `${hiddenLines.toLocaleString("en")} lines folded` : "The middle is folded";
}

function WholeText({ text, label, onFold }: { text: string; label: string; onFold(): void }) {
  const chunks = useMemo(() => chunksOf(text), [text]);
  return (
    <>
      <div className="long-text" tabIndex={0} role="region" aria-label={`${label}, all of it`}>
        {chunks.map((chunk, index) => (
          <pre key={index}>
            <Ansi text={chunk} />
          </pre>
        ))}
      </div>
      <div className="fold">
        <button type="button" className="link" onClick={onFold}>
          Fold
        </button>
        <span>{sizeWords(text.length)}</span>
      </div>
    </>
  );
}
