import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { act } from "react";
import { createRoot } from "react-dom/client";
import { describe, expect, it } from "vitest";
import { renderMarkdown } from "../src/outputs/markdown";
import { OutputView } from "../src/outputs/OutputView";
import type { Output } from "../src/wire/types";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
const ATTACK = '<img src=x onerror="window.hit=1"><script>window.hit=1</script><svg onload="window.hit=1"></svg>';

async function show(output: Partial<Output>): Promise<HTMLElement> {
  const target = document.createElement("div");
  document.body.append(target);
  const whole: Output = { mime_type: "text/plain", data: "", url: null, metadata: {}, display_id: "", ...output };
  await act(async () => createRoot(target).render(<OutputView output={whole} />));
  return target;
}

describe("Markdown", () => {
  it("leaves raw HTML as text", () => {
    const html = renderMarkdown(`# Title\n\n${ATTACK}`);
    expect(html).toContain("<h1>Title</h1>");
    expect(html).not.toMatch(/<(img|script|svg)/);
  });

  it("has no links that run script, and none that know their opener", () => {
    const html = renderMarkdown("[a](javascript:alert(1)) [b](data:text/html,x) [c](https://example.org)");
    expect(html).not.toMatch(/href="(javascript|data)/);
    expect(html).toContain('rel="noopener noreferrer"');
  });
});

describe("outputs", () => {
  it("of HTML go into a sandboxed frame and not into the page", async () => {
    const target = await show({ mime_type: "text/html", data: ATTACK });
    const frame = target.querySelector("iframe");
    expect(frame?.getAttribute("sandbox")).toBe("allow-scripts");
    expect(frame?.getAttribute("src")).toBe("/output-frame");
    expect(target.querySelectorAll("img, script, svg")).toHaveLength(0);
  });

  it.each(["text/plain", "application/json", "text/markdown", "text/latex", "text/x-unknown"])(
    "of %s stay text",
    async (mime_type) => {
      const target = await show({
        mime_type,
        data: mime_type === "application/json" ? JSON.stringify({ [ATTACK]: ATTACK }) : ATTACK,
      });
      expect(target.querySelectorAll("img, script, [onerror], [onload]")).toHaveLength(0);
    },
  );

  it("of SVG are images, in which no script runs", async () => {
    URL.createObjectURL = () => "blob:svg";
    URL.revokeObjectURL = () => undefined;
    const target = await show({ mime_type: "image/svg+xml", data: ATTACK });
    expect(target.querySelector("img")?.getAttribute("src")).toBe("blob:svg");
    expect(target.querySelectorAll("svg, script")).toHaveLength(0);
  });
});

describe("the source", () => {
  it("turns strings into markup in one place only", () => {
    const folder = join(import.meta.dirname, "../src");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
    expect(files.length).toBeGreaterThan(40);
    const places = files.filter((name) =>
      /dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write|srcdoc/i.test(
        readFileSync(join(folder, name), "utf8"),
      ),
    );
    expect(places).toEqual(["outputs/Markdown.tsx"]);
  });
});
