import { useEffect, useState } from "react";
import { getText } from "../wire/rest";
import type { Output } from "../wire/types";

export type Loaded = { state: "loading" } | { state: "ready"; text: string } | { state: "failed"; reason: string };

/** The text of an output: inline, or fetched from its address. The address names its content, so it is fetched once. */
export function useText(output: Output): Loaded {
  const [fetched, setFetched] = useState<Loaded>({ state: "loading" });
  const { data, url } = output;
  useEffect(() => {
    if (data !== null || url === null) return;
    let current = true;
    const done = (loaded: Loaded) => current && setFetched(loaded);
    getText(url).then(
      (text) => done({ state: "ready", text }),
      (reason: unknown) => done({ state: "failed", reason: reason instanceof Error ? reason.message : String(reason) }),
    );
    return () => {
      current = false;
    };
  }, [data, url]);
  return data === null ? fetched : { state: "ready", text: data };
}
