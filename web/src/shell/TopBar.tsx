import { useContext, useEffect, useState } from "react";
import { NotebookContext, useMeta, useNotebook, useTopic } from "../store/hooks";
import { ListIcon, Mark, MoreIcon, PlayIcon, StopIcon } from "./icons";
import { Menu, MenuItem } from "./Menu";
import { goHome } from "./route";
import { SavedPill } from "./SavedPill";
import { toggleTheme, useTheme } from "./theme";

interface Props {
  listOpen: boolean;
  onList(): void;
  onPanel(): void;
}

/** The tools at the upper edge. */
export function TopBar({ listOpen, onList, onPanel }: Props) {
  const open = useContext(NotebookContext);
  return (
    <header className="top">
      <button
        type="button"
        className="btn ghost square only-narrow"
        aria-label="Notebooks"
        aria-expanded={listOpen}
        aria-controls="notebooks"
        onClick={onList}
      >
        <ListIcon />
      </button>
      <a
        className="mark"
        href="/"
        aria-label="Quire, home"
        onClick={(event) => {
          event.preventDefault();
          goHome();
        }}
      >
        <Mark />
        <span>Quire</span>
      </a>
      {open && <SavedPill />}
      <span className="grow" />
      {open ? <NotebookTools onPanel={onPanel} /> : <ThemeMenu />}
    </header>
  );
}

function ThemeItem({ close }: { close(): void }) {
  const theme = useTheme();
  return (
    <MenuItem
      onSelect={() => {
        toggleTheme();
        close();
      }}
    >
      {theme === "dark" ? "Light theme" : "Dark theme"}
    </MenuItem>
  );
}

function ThemeMenu() {
  return (
    <Menu label="More" icon={<MoreIcon />}>
      {(close) => <ThemeItem close={close} />}
    </Menu>
  );
}

const KERNEL_WORDS = {
  none: "No kernel yet: the first run starts one",
  starting: "The kernel is starting",
  idle: "The kernel is ready",
  busy: "The kernel is running",
  dead: "The kernel died: the next run starts one",
} as const;

function useRunStaleKey(): void {
  const { actions } = useNotebook();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.isContentEditable || target.tagName === "INPUT" || target.tagName === "TEXTAREA";
      if (typing || event.key !== "R" || !event.shiftKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      void actions.runStale();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [actions]);
}

/** Ends the run; pressed once more, when that did not help, the kernel. */
function Interrupt() {
  const { actions } = useNotebook();
  const [pressed, setPressed] = useState(false);
  return (
    <button
      type="button"
      className="btn"
      title={pressed ? "The cell goes on: end the kernel with its variables" : "Stop what runs"}
      onClick={() => {
        actions.interrupt(pressed);
        setPressed(true);
      }}
    >
      <StopIcon />
      {pressed ? "Kill kernel" : "Interrupt"}
    </button>
  );
}

/** How many cells have a result that is not up to date. */
function useStaleCount(): number {
  return useTopic("history", (session) => session.cellsInOrder().filter((cell) => cell.status === "stale").length);
}

function NotebookTools({ onPanel }: { onPanel(): void }) {
  const { session, actions } = useNotebook();
  const stale = useStaleCount();
  const meta = useMeta();
  useRunStaleKey();
  if (!meta) return <ThemeMenu />;
  const { run_mode: mode, kernel } = meta;
  const busy = kernel === "busy" || kernel === "starting";
  const disabled = meta.read_only !== null;
  return (
    <>
      <div className="segments only-wide" role="radiogroup" aria-label="What runs by itself">
        <button
          type="button"
          role="radio"
          aria-checked={mode === "automatic"}
          disabled={disabled}
          title="What depends on a run cell follows"
          onClick={() => actions.setRunMode("automatic")}
        >
          Automatic
        </button>
        <button
          type="button"
          role="radio"
          aria-checked={mode === "lazy"}
          disabled={disabled}
          title="Nothing runs by itself"
          onClick={() => actions.setRunMode("lazy")}
        >
          Lazy
        </button>
      </div>
      {busy ? (
        <Interrupt />
      ) : (
        <button type="button" className="btn only-wide" disabled={disabled} onClick={() => void actions.runStale()}>
          {stale > 0 ? `Run ${stale} stale` : "Run stale"} <span className="key">⇧R</span>
        </button>
      )}
      <button type="button" className="btn primary" disabled={disabled} onClick={() => void actions.runAll()}>
        <PlayIcon />
        Run all
      </button>
      <Menu label="More" icon={<MoreIcon />}>
        {(close) => {
          const item = (act: () => void) => () => {
            act();
            close();
          };
          const here = session.focus.selected;
          return (
            <>
              <div className="menu-note">{KERNEL_WORDS[kernel]}</div>
              <MenuItem hint="⇧R" disabled={disabled} onSelect={item(() => void actions.runStale())}>
                Run stale
              </MenuItem>
              <MenuItem
                disabled={disabled || here === null}
                onSelect={item(() => here !== null && void actions.runBeside(here, "above"))}
              >
                Run above
              </MenuItem>
              <MenuItem
                disabled={disabled || here === null}
                onSelect={item(() => here !== null && void actions.runBeside(here, "below"))}
              >
                Run from here on
              </MenuItem>
              <MenuItem disabled={!busy} onSelect={item(() => actions.interrupt())}>
                Interrupt
              </MenuItem>
              <MenuItem disabled={disabled} onSelect={item(() => actions.restart())}>
                Restart kernel
              </MenuItem>
              <hr />
              <MenuItem
                disabled={disabled}
                onSelect={item(() => actions.setRunMode(mode === "lazy" ? "automatic" : "lazy"))}
              >
                {mode === "lazy" ? "Switch to automatic" : "Switch to lazy"}
              </MenuItem>
              <div className="only-medium">
                <MenuItem onSelect={item(onPanel)}>Graph, variables and history</MenuItem>
              </div>
              <ThemeItem close={close} />
            </>
          );
        }}
      </Menu>
    </>
  );
}
