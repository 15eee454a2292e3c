import { useEffect, useState } from "react";
import { useMeta, useNotebook } from "../../store/hooks";
import type { TableProfile } from "../../wire/types";

const WIDTH = 64;
const HEIGHT = 14;

/** How a column's values are spread, drawn when the kernel has said so; nothing until then, or if it cannot. */
export function Histogram({ table, column, near }: { table: string; column: number; near: boolean }) {
  const { session } = useNotebook();
  const idle = useMeta()?.kernel === "idle";
  const [profile, setProfile] = useState<TableProfile | null>(null);
  useEffect(() => {
    if (!near || !idle || profile) return;
    let wanted = true;
    session.questions.ask({ type: "table_column", table, column }).then(
      (found) => wanted && setProfile(found),
      () => undefined, // The table says already that its rows cannot be had.
    );
    return () => {
      wanted = false;
    };
  }, [session, table, column, near, idle, profile]);

  if (!profile) return <span className="histogram" />;
  const counts = profile.bins.filter((bin) => typeof bin === "number");
  if (counts.length === 0)
    return (
      <span className="histogram">
        {profile.distinct !== null && `${profile.distinct.toLocaleString("en")} distinct`}
      </span>
    );
  const most = Math.max(...counts, 1);
  const step = WIDTH / counts.length;
  const words = `${String(profile.low)} to ${String(profile.high)}${profile.nulls > 0 ? `, ${profile.nulls.toLocaleString("en")} missing` : ""}`;
  return (
    <span className="histogram" title={words}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={`Spread: ${words}`}>
        {counts.map((count, at) => {
          const height = count === 0 ? 0 : Math.max(1, (count / most) * HEIGHT);
          return <rect key={at} x={at * step} y={HEIGHT - height} width={Math.max(1, step - 0.6)} height={height} />;
        })}
      </svg>
    </span>
  );
}
