export interface DiffLine {
  kind: "same" | "then" | "now";
  text: string;
}

const LINES_MAX = 600;

/** Line by line, what only the earlier text has (`then`) and what only the present one has (`now`). */
export function diffLines(then: string, now: string): DiffLine[] {
  const a = then.split("\n");
  const b = now.split("\n");
  if (a.length > LINES_MAX || b.length > LINES_MAX) {
    return [
      ...b.map((text) => ({ kind: "now" as const, text })),
      ...a.map((text) => ({ kind: "then" as const, text })),
    ];
  }
  const common = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i] ?? "" });
      i += 1;
      j += 1;
    } else if (j < b.length && (i >= a.length || (common[i]?.[j + 1] ?? 0) >= (common[i + 1]?.[j] ?? 0))) {
      lines.push({ kind: "now", text: b[j] ?? "" });
      j += 1;
    } else {
      lines.push({ kind: "then", text: a[i] ?? "" });
      i += 1;
    }
  }
  return lines;
}

/** `table[i][j]`: how many lines the rests of `a` from `i` and of `b` from `j` have in common. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = table[i] ?? [];
    const below = table[i + 1] ?? [];
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}
