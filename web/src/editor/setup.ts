import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  completionStatus,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  LanguageSupport,
  syntaxHighlighting,
} from "@codemirror/language";
import { Annotation, Compartment, EditorState, type Extension, Prec, Transaction } from "@codemirror/state";
import { drawSelection, EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { minimalChange } from "./change";
import { completions, type Help, helpFor } from "./help";

export interface EditorEvents {
  changed(text: string): void;
  blurred(): void;
  /** Shift-Enter: run, and go on to the next cell. */
  runAndAdvance(): void;
  /** Ctrl or Cmd and Enter: run, and stay. */
  run(): void;
  leave(): void;
  /** The cursor is at the edge of the text and wants to go on. */
  beyond(direction: -1 | 1): void;
}

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  label: string;
  language: "python" | "markdown";
  readOnly: boolean;
  hint: string;
  /** Names that the notebook defines, for completion where nobody knows more. */
  names(): Iterable<string>;
  help: Help;
  events: EditorEvents;
}

/** Marks a change that comes from the server: it is not typed, and not for the undo list. */
const remote = Annotation.define<boolean>();

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.self, tags.bool, tags.null], class: "tok-kw" },
  { tag: [tags.string, tags.special(tags.string)], class: "tok-str" },
  { tag: tags.number, class: "tok-num" },
  {
    tag: [
      tags.function(tags.variableName),
      tags.function(tags.propertyName),
      tags.definition(tags.function(tags.variableName)),
      tags.meta,
    ],
    class: "tok-fn",
  },
  { tag: tags.comment, class: "tok-com" },
]);

function keys(events: EditorEvents): Extension {
  const done = (action: () => void) => () => {
    action();
    return true;
  };
  const atEdge = (direction: -1 | 1) => (view: EditorView) => {
    const { main } = view.state.selection;
    const edge = direction === -1 ? 0 : view.state.doc.length;
    if (!main.empty || main.head !== edge || completionStatus(view.state) === "active") return false;
    events.beyond(direction);
    return true;
  };
  return Prec.highest(
    keymap.of([
      { key: "Shift-Enter", run: done(() => events.runAndAdvance()) },
      { key: "Mod-Enter", run: done(() => events.run()) },
      {
        key: "Escape",
        run: (view) => {
          if (completionStatus(view.state) === "active") return false;
          events.leave();
          return true;
        },
      },
      { key: "ArrowUp", run: atEdge(-1) },
      { key: "ArrowDown", run: atEdge(1) },
    ]),
  );
}

function languageOf(options: EditorOptions): Extension {
  if (options.language === "markdown") return EditorView.lineWrapping;
  return [
    new LanguageSupport(pythonLanguage),
    autocompletion({ icons: false, override: [completions(options.help, options.names)] }),
    helpFor(options.help),
    indentUnit.of("    "),
    matchMedia("(max-width: 900px)").matches ? EditorView.lineWrapping : [],
  ];
}

/** One CodeMirror editor. */
export class CellEditor {
  readonly view: EditorView;
  private readonly writable = new Compartment();

  constructor(options: EditorOptions) {
    const { events } = options;
    this.view = new EditorView({
      parent: options.parent,
      state: EditorState.create({
        doc: options.text,
        extensions: [
          keys(events),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          languageOf(options),
          syntaxHighlighting(colours),
          placeholder(options.hint),
          keymap.of([
            { key: "Tab", run: acceptCompletion },
            ...closeBracketsKeymap,
            ...completionKeymap,

            ...historyKeymap,
            ...defaultKeymap,
            indentWithTab,
          ]),
          this.writable.of(writableIf(!options.readOnly)),
          EditorView.contentAttributes.of({ "aria-label": options.label }),
          EditorView.updateListener.of((update) => {
            const typed = update.docChanged && !update.transactions.every((each) => each.annotation(remote));
            if (typed) events.changed(update.state.doc.toString());
          }),
          EditorView.domEventHandlers({ blur: () => events.blurred() }),
        ],
      }),
    });
  }

  /** Shows another text by the smallest change, so that cursor and selection stay where they are. */
  setText(text: string): void {
    const change = minimalChange(this.view.state.doc.toString(), text);
    if (!change) return;
    this.view.dispatch({ changes: change, annotations: [remote.of(true), Transaction.addToHistory.of(false)] });
  }

  setReadOnly(readOnly: boolean): void {
    this.view.dispatch({ effects: this.writable.reconfigure(writableIf(!readOnly)) });
  }

  /** At a point of the screen if one is given, else where the cursor was. */
  focus(at?: { x: number; y: number }): void {
    const position = at ? this.view.posAtCoords(at) : null;
    if (position !== null) this.view.dispatch({ selection: { anchor: position } });
    this.view.focus();
  }

  destroy(): void {
    this.view.destroy();
  }
}

function writableIf(writable: boolean): Extension {
  return [EditorState.readOnly.of(!writable), EditorView.editable.of(writable)];
}
