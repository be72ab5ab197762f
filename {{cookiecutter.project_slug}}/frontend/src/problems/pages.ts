import { lazy } from "react";
import type { Page } from "../apps";

export const pages: Page[] = [
  { path: "/problems/", component: lazy(() => import("./Problems")) },
  { path: "/problems/:slug/", component: lazy(() => import("./Problem")) },
];
