import { useContext, useSyncExternalStore } from "react";
import { NotebookContext, type OpenNotebook } from "../store/hooks";
import { typeOf } from "../store/session";

interface Heading {
  key: string;
  cellId: string;
  depth: number;
  words: string;
}

const HEADING = /^(#{1,3})\s+(.+?)\s*#*$/gm;

/** The headings in the text cells, in page order. */
export function headingsIn(cells: readonly { id: string; code: string }[]): Heading[] {
  return cells.flatMap(({ id, code }) =>
    [...code.replace(/^```[\s\S]*?^```/gm, "").matchAll(HEADING)].map((match, index) => ({
      key: `${id}-${index}`,
      cellId: id,
      depth: match[1]?.length ?? 1,
      words: (match[2] ?? "").replace(/[*_`]/g, ""),
    })),
  );
}

let cache: { signature: string; headings: Heading[] } = { signature: "", headings: [] };

function readHeadings({ session }: OpenNotebook): Heading[] {
  const texts = session.order.flatMap((id) => {
    const view = session.view(id);
    return view && typeOf(view) === "markdown" ? [{ id, code: view.cell.code }] : [];
  });
  const headings = headingsIn(texts);
  const signature = JSON.stringify(headings);
  if (signature !== cache.signature) cache = { signature, headings };
  return cache.headings;
}

/** Where one is in the open notebook: its headings, below its name in the list. */
export function Outline({ onGo }: { onGo(): void }) {
  const open = useContext(NotebookContext);
  return open && <Headings open={open} onGo={onGo} />;
}

function Headings({ open, onGo }: { open: OpenNotebook; onGo(): void }) {
  const { topics, focus } = open.session;
  const headings = useSyncExternalStore(
    (listener) => {
      const ends = [topics.on("meta", listener), topics.on("sequence", listener)];
      return () => ends.forEach((end) => end());
    },
    () => readHeadings(open),
  );
  if (headings.length === 0) return null;
  return (
    <div className="outline">
      {headings.map((heading) => (
        <a
          key={heading.key}
          href={`#cell-${heading.cellId}`}
          data-depth={heading.depth}
          onClick={(event) => {
            event.preventDefault();
            focus.want(heading.cellId, "command");
            document.getElementById(`cell-${heading.cellId}`)?.scrollIntoView({ block: "start" });
            onGo();
          }}
        >
          {heading.words}
        </a>
      ))}
    </div>
  );
}
