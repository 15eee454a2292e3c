import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "@fontsource-variable/source-serif-4/index.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/list.css";
import "./styles/cells.css";
import "./styles/conflict.css";
import "./styles/editor.css";
import "./styles/outputs.css";
import "./styles/table.css";
import "./styles/log.css";
import "./styles/panel.css";
import { createRoot } from "react-dom/client";
import { loadEditor } from "./editor/CodeEditor";
import { App } from "./shell/App";
import { followSystemTheme } from "./shell/theme";

followSystemTheme();
void loadEditor().catch(() => undefined); // asked for again when the first editor is needed
const root = document.getElementById("root");
if (!root) throw new Error("The page has no #root.");
createRoot(root).render(<App />);
