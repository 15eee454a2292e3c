import type { Plugin } from "vite";

const OLDER_FORMATS = /,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'](?:woff|truetype)["']\)/g;

/** Keeps only the woff2 fonts of KaTeX: every browser that runs this page reads them. */
export function modernFonts(): Plugin {
  return {
    name: "modern-fonts",
    enforce: "pre",
    transform(code, id) {
      return id.includes("/katex/dist/") && id.endsWith(".css")
        ? { code: code.replace(OLDER_FORMATS, ""), map: null }
        : null;
    },
  };
}
