const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
export const TRASH_DAYS = 30;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const startOfDay = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

/** A time in a list: "now", "5 min", "2 h", "Mon", "12 Nov", "12 Nov 2024". */
export function shortAge(at: number, now: number): string {
  const age = now - at;
  const date = new Date(at);
  if (age < MINUTE) return "now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min`;
  if (startOfDay(at) === startOfDay(now)) return `${Math.floor(age / HOUR)} h`;
  if (startOfDay(now) - startOfDay(at) < 7 * DAY) return WEEKDAYS[date.getDay()] ?? "";
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === new Date(now).getFullYear() ? day : `${day} ${date.getFullYear()}`;
}

/** A time in a sentence: "a moment ago", "5 minutes ago", "on 12 Nov". */
export function longAge(at: number, now: number): string {
  const age = now - at;
  const some = (count: number, unit: string) => `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  if (age < MINUTE) return "a moment ago";
  if (age < HOUR) return some(Math.floor(age / MINUTE), "minute");
  if (age < DAY) return some(Math.floor(age / HOUR), "hour");
  if (age < 7 * DAY) return some(Math.floor(age / DAY), "day");
  return `on ${shortAge(at, now)}`;
}

/** "today 11:42", "Mon 11:42", "12 Nov 11:42". */
export function clockTime(at: number, now: number): string {
  const date = new Date(at);
  const time = `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
  if (startOfDay(at) === startOfDay(now)) return `today ${time}`;
  const day = now - at < 6 * DAY ? WEEKDAYS[date.getDay()] : `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return `${day} ${time}`;
}

/** The heading of a list under which a time falls. */
export function period(at: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return "This week";
  const [then, today] = [new Date(at), new Date(now)];
  if (then.getMonth() === today.getMonth() && then.getFullYear() === today.getFullYear()) return "This month";
  return "Earlier";
}

export function daysLeft(deletedAt: number, now: number): string {
  const days = Math.max(0, TRASH_DAYS - Math.floor((now - deletedAt) / DAY));
  return days === 1 ? "1 day left" : `${days} days left`;
}

/** How long something took: "214 ms", "3.1 s", "2 min 5 s". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / MINUTE)} min ${Math.round((ms % MINUTE) / 1000)} s`;
}

export const plural = (count: number, word: string): string =>
  `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
