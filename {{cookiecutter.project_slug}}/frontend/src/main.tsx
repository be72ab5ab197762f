import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { SiteProvider } from "./site";
import "../../static/site.css";
import "./main.css";

// A deploy takes away the files of the version before: a page that asks for one is loaded anew, but not again
// and again.
addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("reloaded"));
  if (Date.now() - last < 60_000) return;
  sessionStorage.setItem("reloaded", String(Date.now()));
  location.reload();
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root.");
createRoot(root).render(
  <StrictMode>
    <SiteProvider>
      <App />
    </SiteProvider>
  </StrictMode>,
);
