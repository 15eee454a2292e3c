/** A stretch of text with one look. `color` and `background` are CSS colours or empty. */
export interface Span {
  text: string;
  color: string;
  background: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}

type Style = Omit<Span, "text">;

const PLAIN: Style = { color: "", background: "", bold: false, dim: false, italic: false, underline: false };

/** The eight terminal colours in the words of our palette, so that they are legible in both themes. */
const NAMED = ["--ink-3", "--err", "--ok", "--run", "--fn", "--kw", "--accent", "--ink-2"].map(
  (name) => `var(${name})`,
);
const BRIGHT = ["--ink-3", "--err", "--ok", "--stale", "--accent", "--kw", "--fn", "--ink"].map(
  (name) => `var(${name})`,
);

// escape sequences are what this matches
const SEQUENCE = /\x1b(?:\[([0-9;:]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
// control characters are what this removes
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

/** Xterm's table of 256: 16 named, a cube of 216, 24 greys. */
function indexed(index: number): string {
  if (index < 8) return NAMED[index] ?? "";
  if (index < 16) return BRIGHT[index - 8] ?? "";
  if (index < 232) {
    const cube = index - 16;
    const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
    return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
  }
  const grey = 8 + 10 * (index - 232);
  return `rgb(${grey} ${grey} ${grey})`;
}

/** Reads the rest of `38;5;n` or `38;2;r;g;b`; the colour, and how many codes it took. */
function extended(codes: readonly number[]): [color: string, taken: number] {
  const byte = (index: number) => Math.min(255, Math.max(0, codes[index] ?? 0));
  if (codes[0] === 5) return [indexed(byte(1)), 2];
  if (codes[0] === 2) return [`rgb(${byte(1)} ${byte(2)} ${byte(3)})`, 4];
  return ["", 1];
}

function restyle(before: Style, codes: readonly number[]): Style {
  let style = before;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) style = PLAIN;
    else if (code === 1) style = { ...style, bold: true };
    else if (code === 2) style = { ...style, dim: true };
    else if (code === 3) style = { ...style, italic: true };
    else if (code === 4) style = { ...style, underline: true };
    else if (code === 22) style = { ...style, bold: false, dim: false };
    else if (code === 23) style = { ...style, italic: false };
    else if (code === 24) style = { ...style, underline: false };
    else if (code >= 30 && code <= 37) style = { ...style, color: NAMED[code - 30] ?? "" };
    else if (code >= 90 && code <= 97) style = { ...style, color: BRIGHT[code - 90] ?? "" };
    else if (code >= 40 && code <= 47) style = { ...style, background: tint(NAMED[code - 40] ?? "") };
    else if (code >= 100 && code <= 107) style = { ...style, background: tint(BRIGHT[code - 100] ?? "") };
    else if (code === 39) style = { ...style, color: "" };
    else if (code === 49) style = { ...style, background: "" };
    else if (code === 38 || code === 48) {
      const [color, taken] = extended(codes.slice(index + 1));
      style = code === 38 ? { ...style, color } : { ...style, background: color };
      index += taken;
    }
  }
  return style;
}

const tint = (color: string): string => (color === "" ? "" : `color-mix(in srgb, ${color} 22%, transparent)`);

/** What a terminal would leave on the line after carriage returns, as progress bars use them. */
export function afterCarriageReturns(text: string): string {
  if (!text.includes("\r")) return text;
  return text
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => line.slice(line.replace(/\r+$/, "").lastIndexOf("\r") + 1))
    .join("\n");
}

/** Text with ANSI colours as spans. Everything else that a terminal would interpret is dropped. */
export function parseAnsi(source: string): Span[] {
  const text = afterCarriageReturns(source);
  const spans: Span[] = [];
  let style = PLAIN;
  let end = 0;
  const add = (piece: string) => {
    const visible = piece.replace(CONTROLS, "");
    if (visible !== "") spans.push({ ...style, text: visible });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    add(text.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[2] === "m") style = restyle(style, (match[1] ?? "").split(/[;:]/).map(Number));
  }
  add(text.slice(end));
  return spans;
}
