import { useEffect, useRef, useState } from "react";

/** Without the dollar signs or brackets around it, which KaTeX does not take. */
export function bareLatex(source: string): string {
  const text = source.trim();
  const match = /^(?:\$\$([\s\S]*)\$\$|\$([\s\S]*)\$|\\\[([\s\S]*)\\\])$/.exec(text);
  return (match?.[1] ?? match?.[2] ?? match?.[3] ?? text).trim();
}

/** A formula, set by KaTeX; its source if KaTeX cannot read it. */
export function Latex({ source }: { source: string }) {
  const target = useRef<HTMLDivElement>(null);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    let current = true;
    import("./katex").then(
      ({ setFormula }) => {
        if (current && target.current) setBroken(!setFormula(bareLatex(source), target.current));
      },
      () => setBroken(true),
    );
    return () => {
      current = false;
    };
  }, [source]);
  return (
    <>
      <div ref={target} className="latex" hidden={broken} />
      {broken && <pre className="latex-source">{source}</pre>}
    </>
  );
}
