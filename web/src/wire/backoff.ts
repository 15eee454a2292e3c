const FIRST_MS = 300;
const LONGEST_MS = 15_000;

/** How long to wait before attempt `attempt` (from 0): doubling, with full jitter so that pages do not return in step. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(ceiling * (0.3 + 0.7 * random()));
}
