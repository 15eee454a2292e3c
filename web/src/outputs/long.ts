/** Long text is shown by its beginning and its end until its reader asks for all of it. */
const LINES_MAX = 60;
const HEAD_LINES = 30;
const TAIL_LINES = 15;
const CHARS_MAX = 12_000;
const CHUNK_CHARS = 40_000;

export interface Preview {
  head: string;
  tail: string;
  hiddenLines: number;
  lines: number;
  folded: boolean;
}

function countLines(text: string): number {
  let lines = text === "" || text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

export function previewOf(text: string): Preview {
  const lines = countLines(text);
  if (lines <= LINES_MAX && text.length <= CHARS_MAX)
    return { head: text, tail: "", hiddenLines: 0, lines, folded: false };
  let headEnd = 0;
  for (let line = 0; line < HEAD_LINES && headEnd >= 0; line += 1)
    headEnd = text.indexOf("\n", headEnd) + 1 || text.length;
  headEnd = Math.min(headEnd, CHARS_MAX / 2);
  let tailStart = text.length - (text.endsWith("\n") ? 1 : 0);
  for (let line = 0; line < TAIL_LINES && tailStart > 0; line += 1) tailStart = text.lastIndexOf("\n", tailStart - 1);
  tailStart = Math.max(tailStart + 1, headEnd, text.length - CHARS_MAX / 2);
  const hiddenLines = countLines(text.slice(headEnd, tailStart));
  return { head: text.slice(0, headEnd), tail: text.slice(tailStart), hiddenLines, lines, folded: true };
}

/** Pieces that the browser can lay out one by one: a megabyte in one element would stall it. */
export function chunksOf(text: string): string[] {
  const chunks: string[] = [];
  for (let start = 0; start < text.length;) {
    let end = start + CHUNK_CHARS;
    const newline = text.lastIndexOf("\n", end);
    if (end < text.length && newline > start) end = newline + 1;
    chunks.push(text.slice(start, end));
    start = end;
  }
  return chunks;
}

export function sizeWords(chars: number): string {
  if (chars < 1000) return `${chars} characters`;
  return chars < 1_000_000 ? `${Math.round(chars / 1000)} kB` : `${(chars / 1_000_000).toFixed(1)} MB`;
}
