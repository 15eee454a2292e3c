/** A stretch of Python with its colour class; empty: plain. */
export interface Token {
  text: string;
  kind: "" | "kw" | "str" | "num" | "fn" | "com";
}

const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global " +
    "if import in is lambda nonlocal not or pass raise return try while with yield match case"
  ).split(" "),
);
/** `match` and `case` are names elsewhere: keywords only at the start of a line. */
const SOFT = new Set(["match", "case"]);

const PREFIX = String.raw`(?:\b[rbfu]{1,2})?`;
const STRINGS = [
  String.raw`"""[\s\S]*?(?:"""|$)`,
  String.raw`'''[\s\S]*?(?:'''|$)`,
  String.raw`"(?:\\.|[^"\\\n])*"?`,
  String.raw`'(?:\\.|[^'\\\n])*'?`,
];
const PIECES = new RegExp(
  [
    String.raw`(?<com>#[^\n]*)`,
    `(?<str>${PREFIX}(?:${STRINGS.join("|")}))`,
    String.raw`(?<num>\b(?:0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d+)?j?))`,
    String.raw`(?<dec>@[\w.]+)`,
    String.raw`(?<word>[^\W\d]\w*)`,
  ].join("|"),
  "giu",
);

function kindOf(source: string, match: RegExpMatchArray): Token["kind"] {
  const { com, str, num, dec, word } = match.groups ?? {};
  if (com !== undefined) return "com";
  if (str !== undefined) return "str";
  if (num !== undefined) return "num";
  if (dec !== undefined) return "fn";
  if (word === undefined) return "";
  const start = match.index ?? 0;
  const after = source.slice(start + word.length, start + word.length + 2);
  if (SOFT.has(word))
    return /^[ \t]*$/.test(source.slice(source.lastIndexOf("\n", start) + 1, start)) && !/^\s?[=.(]/.test(after)
      ? "kw"
      : "";
  if (KEYWORDS.has(word)) return "kw";
  return after.startsWith("(") ? "fn" : "";
}

/** Python in colours, roughly as the editor shows it: for cells whose editor is not on the page. */
export function highlightPython(source: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of source.matchAll(PIECES)) {
    const kind = kindOf(source, match);
    if (kind === "") continue;
    if (match.index > end) tokens.push({ text: source.slice(end, match.index), kind: "" });
    tokens.push({ text: match[0], kind });
    end = match.index + match[0].length;
  }
  if (end < source.length) tokens.push({ text: source.slice(end), kind: "" });
  return tokens;
}
