import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Help } from "./help";
import type { CellEditor, EditorEvents } from "./setup";
import { StaticCode } from "./StaticCode";

type Setup = typeof import("./setup");
let setup: Setup | null = null;
let loading: Promise<Setup> | null = null;

/** Fetches the editor's chunk; asked again after a failure. */
export function loadEditor(): Promise<Setup> {
  loading ??= import("./setup").then(
    (module) => (setup = module),
    (reason: unknown) => {
      loading = null;
      throw reason;
    },
  );
  return loading;
}

interface Props {
  text: string;
  label: string;
  language: "python" | "markdown";
  readOnly: boolean;
  hint: string;
  /** Grows with each wish to put the cursor into this editor; 0: none yet. */
  focusWish: number;
  names(): Iterable<string>;
  help: Help;
  events: EditorEvents;
  /** The reader pressed on the static text before the editor was there. */
  onEdit(): void;
}

/** The cell's text. Shows the static text until the editor's chunk has arrived. */
export function CodeEditor(props: Props) {
  const { text, label, language, readOnly, hint, focusWish } = props;
  const holder = useRef<HTMLDivElement>(null);
  const editor = useRef<CellEditor | null>(null);
  const latest = useRef(props);
  const clicked = useRef<{ x: number; y: number } | null>(null);
  const granted = useRef(0);
  const [module, setModule] = useState(setup);
  const [attempt, setAttempt] = useState(0);

  useLayoutEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    if (module) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    loadEditor().then(setModule, () => (timer = setTimeout(() => setAttempt(attempt + 1), 3000)));
    return () => clearTimeout(timer);
  }, [module, attempt]);

  useLayoutEffect(() => {
    if (!module || !holder.current) return;
    const created = new module.CellEditor({
      parent: holder.current,
      text: latest.current.text,
      label,
      language,
      readOnly: latest.current.readOnly,
      hint,
      names: () => latest.current.names(),
      help: {
        complete: (code, position) => latest.current.help.complete(code, position),
        inspect: (code, position) => latest.current.help.inspect(code, position),
      },
      events: {
        changed: (changed) => latest.current.events.changed(changed),
        blurred: () => latest.current.events.blurred(),
        runAndAdvance: () => latest.current.events.runAndAdvance(),
        run: () => latest.current.events.run(),
        leave: () => latest.current.events.leave(),
        beyond: (direction) => latest.current.events.beyond(direction),
      },
    });
    editor.current = created;
    return () => {
      editor.current = null;
      created.destroy();
    };
  }, [module, label, language, hint]);

  useLayoutEffect(() => editor.current?.setText(text), [text]);
  useEffect(() => editor.current?.setReadOnly(readOnly), [readOnly]);

  useEffect(() => {
    if (!module || focusWish === 0 || granted.current === focusWish) return;
    granted.current = focusWish;
    editor.current?.focus(clicked.current ?? undefined);
    clicked.current = null;
  }, [module, focusWish]);

  return (
    <div
      ref={holder}
      data-editor=""
      onMouseDown={(event) => {
        if (editor.current) return;
        event.preventDefault();
        clicked.current = { x: event.clientX, y: event.clientY };
        props.onEdit();
      }}
    >
      {!module && <StaticCode code={text} language={language} hint={hint} />}
    </div>
  );
}
