import interUrl from "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url";
import monoUrl from "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2?url";

export interface FrameFont {
  family: string;
  weight: string;
  data: ArrayBuffer;
}

let fonts: Promise<FrameFont[]> | null = null;

async function load(family: string, weight: string, url: string): Promise<FrameFont> {
  return { family, weight, data: await (await fetch(url)).arrayBuffer() };
}

/** The page's fonts as bytes: a sandboxed frame may fetch nothing, so it is handed them. Empty if they do not load. */
export function frameFonts(): Promise<FrameFont[]> {
  fonts ??= Promise.all([load("Inter", "100 900", interUrl), load("JetBrains Mono", "100 800", monoUrl)]).catch(() => {
    fonts = null;
    return [];
  });
  return fonts;
}
