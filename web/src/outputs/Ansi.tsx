import { type CSSProperties, memo } from "react";
import { parseAnsi, type Span } from "./ansi";

function styleOf(span: Span): CSSProperties | undefined {
  const style: CSSProperties = {};
  if (span.color) style.color = span.color;
  if (span.background) style.background = span.background;
  if (span.bold) style.fontWeight = 600;
  if (span.dim) style.opacity = 0.7;
  if (span.italic) style.fontStyle = "italic";
  if (span.underline) style.textDecoration = "underline";
  return Object.keys(style).length > 0 ? style : undefined;
}

/** Text with ANSI colours: as React text nodes, so that nothing in it can become markup. */
export const Ansi = memo(function Ansi({ text }: { text: string }) {
  return parseAnsi(text).map((span, index) => {
    const style = styleOf(span);
    return style ? (
      <span key={index} style={style}>
        {span.text}
      </span>
    ) : (
      span.text
    );
  });
});
