import { useEffect, useRef, useState } from "react";
import { useTheme } from "../shell/theme";

export type ChartKind = "plotly" | "vega" | "vega-lite";

async function draw(kind: ChartKind, target: HTMLElement, text: string): Promise<() => void> {
  if (kind === "plotly") return (await import("./plotly")).drawPlotly(target, text);
  return (await import("./vega")).drawVega(target, text, kind);
}

/** An interactive chart. Its library is fetched when the first one is shown. */
export function Chart({ kind, text }: { kind: ChartKind; text: string }) {
  const target = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"drawing" | "drawn" | "failed">("drawing");
  const [reason, setReason] = useState("");
  const theme = useTheme();

  useEffect(() => {
    const holder = target.current;
    if (!holder) return;
    const canvas = document.createElement("div");
    holder.replaceChildren(canvas);
    let current = true;
    let dispose: (() => void) | null = null;
    draw(kind, canvas, text).then(
      (end) => {
        dispose = end;
        if (current) setState("drawn");
        else end();
      },
      (failure: unknown) => {
        if (!current) return;
        setReason(failure instanceof Error ? failure.message : String(failure));
        setState("failed");
      },
    );
    return () => {
      current = false;
      dispose?.();
    };
  }, [kind, text, theme]);

  return (
    <div className="card pad plot">
      <div ref={target} role="img" aria-label="Chart" />
      {state === "drawing" && <span className="waiting">Drawing the chart</span>}
      {state === "failed" && <span className="waiting">The chart cannot be drawn: {reason}</span>}
    </div>
  );
}
