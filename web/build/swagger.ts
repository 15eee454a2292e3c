import { createReadStream, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const FILES = { "swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript" } as const;
/** Starts it: the page's policy allows no inline script. */
const START = 'SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#swagger", deepLinking: true });\n';
const PREFIX = "/vendor/swagger/";

/** Ships Swagger UI for `/api/docs` under `/vendor/swagger/`, from the npm package: nothing is fetched from elsewhere. */
export function swaggerAssets(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  return {
    name: "swagger-assets",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: `${PREFIX.slice(1)}start.js`, source: START });
      for (const name of Object.keys(FILES)) {
        this.emitFile({
          type: "asset",
          fileName: PREFIX.slice(1) + name,
          source: readFileSync(join(folder, name)),
        });
      }
    },
    configureServer(server) {
      for (const [name, type] of Object.entries(FILES)) {
        server.middlewares.use(PREFIX + name, (_request, response) => {
          response.setHeader("content-type", type);
          createReadStream(join(folder, name)).pipe(response);
        });
      }
    },
  };
}
