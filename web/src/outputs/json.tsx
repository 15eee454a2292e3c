import { useMemo } from "react";

const CHILDREN_MAX = 200;

/** A JSON value as a tree that opens level by level; long lists show their beginning and say so. */
export function JsonTree({ text }: { text: string }) {
  const parsed = useMemo(() => {
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      return null;
    }
  }, [text]);
  if (!parsed) return <pre>{text}</pre>;
  return (
    <div className="card json" role="group" aria-label="JSON">
      <Node name="" value={parsed.value} depth={0} />
    </div>
  );
}

function Node({ name, value, depth }: { name: string; value: unknown; depth: number }) {
  const label = name === "" ? null : <span>{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div>
        {label}
        <span className={classOf(value)}>{JSON.stringify(value)}</span>
      </div>
    );
  }
  const entries = Object.entries(value);
  const brackets = Array.isArray(value) ? "[]" : "{}";
  if (entries.length === 0) {
    return (
      <div>
        {label}
        {brackets}
      </div>
    );
  }
  return (
    <details open={depth < 2 && entries.length <= 20}>
      <summary>
        {label}
        <i>
          {brackets[0]}
          {entries.length}
          {brackets[1]}
        </i>
      </summary>
      {entries.slice(0, CHILDREN_MAX).map(([key, child]) => (
        <Node key={key} name={key} value={child} depth={depth + 1} />
      ))}
      {entries.length > CHILDREN_MAX && <div className="count">and {entries.length - CHILDREN_MAX} more</div>}
    </details>
  );
}

function classOf(value: unknown): string {
  if (typeof value === "string") return "tok-str";
  return typeof value === "number" ? "tok-num" : "tok-kw";
}
