import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LongText } from "../src/outputs/LongText";
import { OutputView } from "../src/outputs/OutputView";
import type { Output } from "../src/wire/types";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
const URL_OF_IT = "/api/notebooks/n/outputs/abc?type=x";
const DETAIL = "This output is not there: its data is missing or damaged. Run the cell again to make it anew.";

function problem(): Response {
  return new Response(JSON.stringify({ status: 404, title: "Not found", detail: DETAIL }), {
    status: 404,
    headers: { "content-type": "application/problem+json" },
  });
}

/** A body that ends before the length that was announced. */
function cutOff(): Response {
  return new Response(new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) }));
}

async function show(element: React.ReactNode): Promise<HTMLElement> {
  const target = document.createElement("div");
  document.body.append(target);
  await act(async () => createRoot(target).render(element));
  return target;
}

function output(mime_type: string): Output {
  return { mime_type, data: null, url: URL_OF_IT, metadata: {}, display_id: "" };
}

describe("an output whose data is missing", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each(["text/html", "text/plain", "application/json", "application/vnd.vegalite.v6.json", "image/svg+xml"])(
    "of %s says so, and the way out",
    async (mime_type) => {
      vi.stubGlobal("fetch", async () => problem());
      const target = await show(<OutputView output={output(mime_type)} />);
      expect(target.textContent).toContain(DETAIL);
      expect(target.querySelectorAll("img, iframe")).toHaveLength(0);
    },
  );

  it("of a picture says so when the image fails", async () => {
    const asked = vi.fn(async () => problem());
    vi.stubGlobal("fetch", asked);
    const target = await show(<OutputView output={output("image/png")} />);
    const image = target.querySelector("img");
    expect(image?.getAttribute("src")).toBe(URL_OF_IT);
    expect(asked).not.toHaveBeenCalled();
    await act(async () => image?.dispatchEvent(new Event("error")));
    expect(target.textContent).toContain(DETAIL);
    expect(target.querySelector("img")).toBeNull();
  });

  it("of a download says so when it is asked for", async () => {
    vi.stubGlobal("fetch", async () => problem());
    const target = await show(<OutputView output={output("application/zip")} />);
    await act(async () => target.querySelector("button")?.click());
    expect(target.textContent).toContain(DETAIL);
  });

  it("of printed text says so", async () => {
    vi.stubGlobal("fetch", async () => problem());
    const target = await show(<LongText text="" url={URL_OF_IT} label="Printed text" />);
    expect(target.textContent).toContain(DETAIL);
  });

  it("is not taken for whole when it breaks off", async () => {
    vi.stubGlobal("fetch", async () => cutOff());
    const target = await show(<OutputView output={output("text/plain")} />);
    expect(target.textContent).toContain("broke off");
    expect(target.textContent).toContain("Run the cell again");
  });

  it("of a large SVG that is there is an image", async () => {
    vi.stubGlobal("fetch", async () => new Response("<svg/>"));
    URL.createObjectURL = () => "blob:svg";
    URL.revokeObjectURL = () => undefined;
    const target = await show(<OutputView output={output("image/svg+xml")} />);
    expect(target.querySelector("img")?.getAttribute("src")).toBe("blob:svg");
  });
});
