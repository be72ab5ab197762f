import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Where Django listens while Vite serves the pages. As an object, a target keeps the Host that the browser asked,
// and with it Django's check of where a form comes from.
const django = { target: process.env.DJANGO ?? "http://127.0.0.1:8001" };

const hosts = process.env.ALLOWED_HOSTS?.split(",");

export default defineConfig(({ command }) => ({
  plugins: [react()],
  clearScreen: false,
  base: command === "build" ? "/static/app/" : "/",
  build: { outDir: "../static/app", emptyOutDir: true },
  server: {
    strictPort: true,
    allowedHosts: hosts?.includes("*") || hosts, // as Django has them
    proxy: {
      "/ws/": { ...django, ws: true },
      "^/(api|accounts|admin|static|metrics|favicon.ico|__debug__)(/|$)": django,
    },
  },
  test: { environment: "happy-dom" },
}));
