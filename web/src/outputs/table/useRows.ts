import { useCallback, useEffect, useRef, useState } from "react";
import { useNotebook } from "../../store/hooks";
import { Unanswered } from "../../store/questions";
import type { TableFilter, TableSort, TableValue } from "../../wire/types";
import { PAGE, pagesOf, type Table } from "./model";

export interface Rows {
  /** How many there are, after the filters. */
  total: number;
  at(row: number): TableValue[] | undefined;
  /** Fetches what of these rows is not there. */
  want(first: number, last: number): void;
  /** Why rows are missing, in words. */
  trouble: string;
  loaded(): TableValue[][];
}

interface Order {
  sort: TableSort[];
  filters: TableFilter[];
}

/** The rows of a table in some order: the first ones from the output, the others from the kernel when they are wanted. */
export function useRows(table: Table, order: Order): Rows {
  const { session } = useNotebook();
  const natural = order.sort.length === 0 && order.filters.length === 0;
  const key = JSON.stringify([table.table, order]);
  const pages = useRef(new Map<number, TableValue[][] | "asked">());
  const current = useRef("");
  const [, setVersion] = useState(0);
  const [total, setTotal] = useState(table.total);
  const [trouble, setTrouble] = useState("");

  const want = useCallback(
    (first: number, last: number) => {
      for (const page of pagesOf(first, last)) {
        if (pages.current.has(page)) continue;
        pages.current.set(page, "asked");
        const [, { sort, filters }] = JSON.parse(key) as [string, Order];
        session.questions
          .ask({ type: "table_page", table: table.table, offset: page * PAGE, limit: PAGE, sort, filters })
          .then(
            (answer) => {
              if (current.current !== key) return;
              pages.current.set(page, answer.rows);
              setTotal(answer.total);
              setTrouble("");
              setVersion((version) => version + 1);
            },
            (reason: unknown) => {
              if (!(reason instanceof Unanswered)) throw reason;
              if (current.current !== key) return;
              pages.current.delete(page);
              setTrouble(reason.message);
            },
          );
      }
    },
    [session, key, table.table],
  );

  useEffect(() => {
    if (current.current === key) return;
    current.current = key;
    pages.current.clear();
    setTrouble("");
    if (natural) setTotal(table.total);
    else want(0, PAGE - 1);
    setVersion((version) => version + 1);
  }, [key, natural, table.total, want]);

  return {
    total,
    trouble,
    want: (first, last) => {
      if (natural && last < table.rows.length) return;
      want(first, last);
    },
    at: (row) => {
      const page = pages.current.get(Math.floor(row / PAGE));
      if (page !== undefined && page !== "asked") return page[row % PAGE];
      return natural ? table.rows[row] : undefined;
    },
    loaded: () => {
      const fetched = [...pages.current].filter(([, rows]) => rows !== "asked").sort(([a], [b]) => a - b);
      if (fetched.length === 0) return natural ? table.rows : [];
      return fetched.flatMap(([, rows]) => rows as TableValue[][]);
    },
  };
}
