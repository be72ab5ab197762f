import { lazy } from "react";
import type { Page } from "../apps";

export const pages: Page[] = [
  { path: "/assistant/", component: lazy(() => import("./Sessions")) },
  { path: "/assistant/:session/", component: lazy(() => import("./Arena")) },
];
