import { CodeEditor } from "../editor/CodeEditor";
import type { EditorEvents } from "../editor/setup";
import { Markdown } from "../outputs/Markdown";
import { NO_HELP } from "../store/help";

interface Props {
  text: string;
  editing: boolean;
  readOnly: boolean;
  focusWish: number;
  events: EditorEvents;
  onEdit(): void;
}

const NO_NAMES = (): string[] => [];

/** A text cell: set as text, and an editor while it is written. */
export function TextCell({ text, editing, readOnly, focusWish, events, onEdit }: Props) {
  if (!editing) return <Markdown source={text} onDoubleClick={onEdit} />;
  return (
    <div className="code">
      <CodeEditor
        text={text}
        label="Text, in Markdown"
        language="markdown"
        readOnly={readOnly}
        hint="Text, in Markdown"
        focusWish={focusWish}
        names={NO_NAMES}
        help={NO_HELP}
        events={events}
        onEdit={onEdit}
      />
    </div>
  );
}
