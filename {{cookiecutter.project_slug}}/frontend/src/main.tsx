import "../../static/site.css"; // first, so that what apps say of the same comes after it
import "./main.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { SiteProvider } from "./site";
import { Boundary } from "./ui";

// After a deploy the parts of a page that are still to be loaded have other names: so the page is loaded anew, but
// not again and again if that is no cure.
addEventListener("vite:preloadError", () => {
  if (Date.now() - Number(sessionStorage.getItem("reloaded")) < 10_000) return;
  sessionStorage.setItem("reloaded", String(Date.now()));
  location.reload();
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root.");
createRoot(root).render(
  <StrictMode>
    <Boundary>
      <SiteProvider>
        <App />
      </SiteProvider>
    </Boundary>
  </StrictMode>,
);
