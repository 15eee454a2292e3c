import { type Topics, cellTopic } from "./topics";

export type Mode = "command" | "edit";

/** What the page shows about a cell beyond its content. Replaced, never changed. */
export interface CellUi {
  /** Null: another cell is selected. */
  readonly mode: Mode | null;
  /** Grows with each wish to move the keyboard focus here. */
  readonly wish: number;
  /** Would run if the button under the pointer were pressed. */
  readonly planned: boolean;
  /** Is the other end of the name under the pointer. */
  readonly linked: boolean;
}

const REST: CellUi = { mode: null, wish: 0, planned: false, linked: false };
export const uiTopic = (id: string): string => `ui:${cellTopic(id)}`;

/** Which cell is selected, and how: `command` has the focus on the cell, `edit` in its text. */
export class Focus {
  selected: string | null = null;
  private readonly byCell = new Map<string, CellUi>();
  private planned: ReadonlySet<string> = new Set();
  private linked: ReadonlySet<string> = new Set();
  private wishes = 0;

  constructor(private readonly topics: Topics) {}

  ui(id: string): CellUi {
    return this.byCell.get(id) ?? REST;
  }

  /** Moves the keyboard focus to a cell, as soon as it is on the page. */
  want(id: string, mode: Mode): void {
    this.wishes += 1;
    this.select(id, mode, this.wishes);
  }

  /** The browser moved the focus by itself: by a click or the Tab key. */
  noticed(id: string, mode: Mode): void {
    if (this.selected !== id || this.ui(id).mode !== mode) this.select(id, mode, this.ui(id).wish);
  }

  plan(ids: ReadonlySet<string>): void {
    const before = this.planned;
    this.planned = ids;
    for (const id of new Set([...before, ...ids])) this.put(id, { ...this.ui(id), planned: ids.has(id) });
  }

  link(ids: ReadonlySet<string>): void {
    const before = this.linked;
    this.linked = ids;
    for (const id of new Set([...before, ...ids])) this.put(id, { ...this.ui(id), linked: ids.has(id) });
  }

  private select(id: string, mode: Mode, wish: number): void {
    const before = this.selected;
    this.selected = id;
    if (before !== null && before !== id) this.put(before, { ...this.ui(before), mode: null });
    this.put(id, { ...this.ui(id), mode, wish });
    this.topics.emit("selected");
  }

  private put(id: string, ui: CellUi): void {
    this.byCell.set(id, ui);
    this.topics.emit(uiTopic(id));
  }
}
