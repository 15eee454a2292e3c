import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTheme } from "../shell/theme";
import { frameFonts } from "./frameFonts";

const HEIGHT_MAX = 600;
const VARIABLES = [
  "--paper",
  "--sheet",
  "--well",
  "--line",
  "--line-strong",
  "--ink",
  "--ink-2",
  "--ink-3",
  "--accent",
  "--accent-soft",
];

function themeVariables(): Record<string, string> {
  const style = getComputedStyle(document.documentElement);
  const theme = Object.fromEntries(VARIABLES.map((name) => [name, style.getPropertyValue(name).trim()]));
  return { ...theme, "color-scheme": document.documentElement.dataset.theme ?? "light" };
}

/** HTML from a cell, in a frame with an opaque origin and a policy of its own: it reaches neither page nor server. */
export function Frame({ html }: { html: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(40);
  const [loaded, setLoaded] = useState(0);
  const theme = useTheme();

  // Before the frame can say anything: a passive effect may come too late.
  useLayoutEffect(() => {
    const listen = (event: MessageEvent) => {
      const sender = frame.current?.contentWindow;
      if (!sender || event.source !== sender) return;
      const message = event.data as { type?: unknown; height?: unknown } | null;
      if (message?.type === "height" && typeof message.height === "number") {
        setHeight(Math.max(20, Math.min(HEIGHT_MAX, message.height + 2)));
      }
    };
    addEventListener("message", listen);
    return () => removeEventListener("message", listen);
  }, []);

  useEffect(() => {
    if (loaded === 0) return;
    const target = frame.current?.contentWindow;
    target?.postMessage({ type: "show", html, theme: themeVariables() }, "*");
    void frameFonts().then((fonts) => target?.postMessage({ type: "fonts", fonts }, "*"));
  }, [html, loaded]);

  useEffect(() => {
    frame.current?.contentWindow?.postMessage({ type: "theme", theme: themeVariables() }, "*");
  }, [theme]);

  return (
    <iframe
      ref={frame}
      key={html}
      className="frame"
      title="HTML output"
      src="/output-frame"
      sandbox="allow-scripts"
      onLoad={() => setLoaded((count) => count + 1)}
      style={{ height }}
    />
  );
}
