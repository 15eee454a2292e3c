import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";

const renderer = new MarkdownIt({ html: false, linkify: true, typographer: false });

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node instanceof HTMLAnchorElement) {
    node.target = "_blank";
    node.rel = "noopener noreferrer";
  }
});

/** Markdown as HTML that may go into the page: raw HTML stays text, and what is left is sanitised once more. */
export function renderMarkdown(source: string): string {
  return DOMPurify.sanitize(renderer.render(source), {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "iframe", "video", "audio", "source"],
    FORBID_ATTR: ["style", "id", "name", "class", "srcset"],
  });
}
