import { type RefObject, useEffect, useState } from "react";

/** How far outside of the window a cell already gets its editor. */
const MARGIN = "700px 0px";

const watched = new Map<Element, (near: boolean) => void>();
let observer: IntersectionObserver | null = null;

function watch(element: Element, tell: (near: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) watched.get(entry.target)?.(entry.isIntersecting);
    },
    { rootMargin: MARGIN },
  );
  watched.set(element, tell);
  observer.observe(element);
  return () => {
    watched.delete(element);
    observer?.unobserve(element);
  };
}

/** Whether an element is in or close to the window, and whether it ever was. */
export function useNear(element: RefObject<Element | null>): { near: boolean; seen: boolean } {
  const [near, setNear] = useState(false);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    return watch(element.current, (value) => {
      setNear(value);
      if (value) setSeen(true);
    });
  }, [element]);
  return { near, seen };
}
