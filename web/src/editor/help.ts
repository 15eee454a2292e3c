import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  type CompletionSource,
} from "@codemirror/autocomplete";
import { localCompletionSource } from "@codemirror/lang-python";
import { type Extension, StateEffect, StateField } from "@codemirror/state";
import {
  EditorView,
  hoverTooltip,
  keymap,
  showTooltip,
  type Tooltip,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import type { CompletionAnswer, InspectionAnswer } from "../wire/types";
import { codePoints, codeUnits } from "./points";

/** Who knows more about the code than the page does; null: nobody can be asked, or has an answer. */
export interface Help {
  complete(code: string, position: number): Promise<CompletionAnswer | null>;
  inspect(code: string, position: number): Promise<InspectionAnswer | null>;
}

const PAUSE_MS = 90;
/** What must stand before the cursor for help to come unasked: a dot, two letters, or the beginning of a key or path. */
const UNASKED = /(?:\.\w*|\b[^\W\d]\w+|\[["']\w*|^\s*%%?\w*)$/u;
const CALL = /[(,]\s*$/;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Completion by the server, or by what the page knows if it cannot answer. */
export function completions(help: Help, names: () => Iterable<string>): CompletionSource {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    if (!context.explicit && !UNASKED.test(before)) return null;
    await pause(PAUSE_MS);
    if (context.aborted) return null;
    const code = context.state.doc.toString();
    const answer = await help.complete(code, codePoints(code, context.pos));
    if (context.aborted) return null;
    if (!answer) return known(context, names);
    if (answer.matches.length === 0) return null;
    return {
      from: codeUnits(code, answer.start),
      to: codeUnits(code, answer.end),
      options: answer.matches.map(({ text, type }): Completion => ({ label: text, type })),
      validFor: /^\w*$/u,
    };
  };
}

async function known(context: CompletionContext, names: () => Iterable<string>): Promise<CompletionResult | null> {
  const word = context.matchBefore(/\w+/);
  if (!word || context.matchBefore(/\.\w*/)) return null;
  const local = await localCompletionSource(context);
  const options = [...names()].map((label): Completion => ({ label, type: "variable", detail: "notebook" }));
  return { from: word.from, options: [...(local?.options ?? []), ...options], validFor: /^\w*$/u };
}

function card(answer: InspectionAnswer): HTMLElement {
  const box = document.createElement("div");
  box.className = "help-card";
  const head = document.createElement("code");
  head.className = "help-head";
  head.textContent = answer.signature || `${answer.name}  ${answer.kind}`;
  box.append(head);
  if (answer.doc.trim() !== "") {
    const text = document.createElement("pre");
    text.className = "help-doc";
    text.textContent = answer.doc.trim();
    box.append(text);
  }
  return box;
}

const setSignature = StateEffect.define<Tooltip | null>();

const signatureField = StateField.define<Tooltip | null>({
  create: () => null,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setSignature)) return effect.value;
    return value && transaction.docChanged ? { ...value, pos: transaction.changes.mapPos(value.pos) } : value;
  },
  provide: (field) => showTooltip.from(field),
});

/** The signature of the function whose arguments are being written. */
function signatures(help: Help): Extension {
  return ViewPlugin.fromClass(
    class {
      private asked = 0;

      constructor(private readonly view: EditorView) {}

      update(update: ViewUpdate): void {
        const open = update.state.field(signatureField) !== null;
        if (update.focusChanged && !update.view.hasFocus && open) this.later(null);
        const { head } = update.state.selection.main;
        const typed = update.docChanged && update.transactions.some((each) => each.isUserEvent("input"));
        const call = typed && CALL.test(update.state.sliceDoc(Math.max(0, head - 40), head));
        if (call || (open && (update.docChanged || update.selectionSet))) void this.ask();
      }

      private async ask(): Promise<void> {
        const number = ++this.asked;
        await pause(PAUSE_MS);
        if (number !== this.asked) return;
        const { head } = this.view.state.selection.main;
        const code = this.view.state.doc.toString();
        const answer = await help.inspect(code, codePoints(code, head));
        if (number !== this.asked) return;
        const shown = answer?.found && answer.parameter !== null && this.view.hasFocus ? answer : null;
        this.view.dispatch({
          effects: setSignature.of(shown && { pos: head, above: true, create: () => ({ dom: card(shown) }) }),
        });
      }

      private later(value: Tooltip | null): void {
        this.asked += 1;
        queueMicrotask(() => this.view.dispatch({ effects: setSignature.of(value) }));
      }
    },
  );
}

/** Hover and signatures; Escape puts a signature away. */
export function helpFor(help: Help): Extension {
  return [
    signatureField,
    signatures(help),
    keymap.of([
      {
        key: "Escape",
        run: (view) => {
          if (view.state.field(signatureField) === null) return false;
          view.dispatch({ effects: setSignature.of(null) });
          return true;
        },
      },
    ]),
    hoverTooltip(
      async (view, position) => {
        const word = view.state.wordAt(position);
        if (!word) return null;
        const code = view.state.doc.toString();
        const answer = await help.inspect(code, codePoints(code, word.from + 1));
        if (!answer?.found || answer.parameter !== null) return null;
        return { pos: word.from, end: word.to, above: true, create: () => ({ dom: card(answer) }) };
      },
      { hoverTime: 450 },
    ),
  ];
}
