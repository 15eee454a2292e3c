import type { ReactNode } from "react";

/** An empty, loading or failing page: one sentence, and one action where there is something to do. */
export function State({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="state" role="status">
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}
