/** How many code points there are before a place that counts UTF-16 code units, as the browser does. */
export function codePoints(text: string, units: number): number {
  let points = 0;
  for (const _ of text.slice(0, units)) points += 1;
  return points;
}

/** The other way round. */
export function codeUnits(text: string, points: number): number {
  let units = 0;
  for (const character of text) {
    if (points <= 0) break;
    units += character.length;
    points -= 1;
  }
  return units;
}
