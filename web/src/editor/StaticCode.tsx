import { memo } from "react";
import { highlightPython } from "./highlight";

interface Props {
  code: string;
  language: "python" | "markdown";
  hint: string;
}

/** Code without an editor: what is out of sight, an earlier revision, or an editor that is still on its way. */
export const StaticCode = memo(function StaticCode({ code, language, hint }: Props) {
  if (code === "") {
    return (
      <pre className="static-code">
        <span className="tok-com">{hint}</span>
      </pre>
    );
  }
  const tokens = language === "python" ? highlightPython(code) : [{ text: code, kind: "" as const }];
  return (
    <pre className="static-code">
      {tokens.map((token, index) =>
        token.kind === "" ? (
          token.text
        ) : (
          <span key={index} className={`tok-${token.kind}`}>
            {token.text}
          </span>
        ),
      )}
    </pre>
  );
});
