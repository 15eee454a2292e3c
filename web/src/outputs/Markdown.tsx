import { useEffect, useState } from "react";

type Render = (source: string) => string;
let loaded: Render | null = null;

/** The renderer, once its chunk is here. */
function useRenderer(): Render | null {
  const [render, setRender] = useState<Render | null>(() => loaded);
  useEffect(() => {
    if (loaded) return;
    let current = true;
    void import("./markdown").then(({ renderMarkdown }) => {
      loaded = renderMarkdown;
      if (current) setRender(() => renderMarkdown);
    });
    return () => {
      current = false;
    };
  }, []);
  return render;
}

/** The only place where a string becomes markup of the page: `renderMarkdown` has sanitised it. */
export function Markdown({ source, onDoubleClick }: { source: string; onDoubleClick?: () => void }) {
  const render = useRenderer();
  if (source.trim() === "") {
    return (
      <div className="md" onDoubleClick={onDoubleClick}>
        <p className="empty">Empty text. Press Enter to write.</p>
      </div>
    );
  }
  if (!render) return <div className="md waiting">{source}</div>;
  return <div className="md" onDoubleClick={onDoubleClick} dangerouslySetInnerHTML={{ __html: render(source) }} />;
}
