import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { earlyTheme } from "./build/earlyTheme.ts";
import { modernFonts } from "./build/modernFonts.ts";
import { swaggerAssets } from "./build/swagger.ts";

const SERVER = process.env.QUIRE_URL ?? "http://127.0.0.1:8123";

export default defineConfig({
  base: "/",
  plugins: [react(), earlyTheme(), modernFonts(), swaggerAssets()],
  build: {
    outDir: "../src/quire/web_dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy allows fonts from its own address only, not from data: URLs
    chunkSizeWarningLimit: 6000, // Plotly is one lazily loaded file of about 5 MB
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "/api": { target: SERVER, ws: true },
      "/output-frame": SERVER,
    },
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
  },
});
