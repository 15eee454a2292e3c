import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const FILE = fileURLToPath(new URL("../early/theme.js", import.meta.url));
const DEV_PATH = "/early-theme.js";

/**
 * Loads `early/theme.js` before the first paint, from a file with a hashed name: the page's policy allows no inline
 * script, and a module would run too late.
 */
export function earlyTheme(): Plugin {
  const source = readFileSync(FILE, "utf8");
  const hash = createHash("sha256").update(source).digest("base64url").slice(0, 8);
  const fileName = `assets/theme-${hash}.js`;
  let building = true;
  return {
    name: "early-theme",
    configResolved(config) {
      building = config.command === "build";
    },
    configureServer(server) {
      server.middlewares.use(DEV_PATH, (_request, response) => {
        response.setHeader("content-type", "text/javascript");
        createReadStream(FILE).pipe(response);
      });
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml() {
      return [{ tag: "script", attrs: { src: building ? `/${fileName}` : DEV_PATH }, injectTo: "head-prepend" }];
    },
  };
}
