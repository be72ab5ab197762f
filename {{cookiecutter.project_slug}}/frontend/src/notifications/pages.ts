import { lazy } from "react";
import type { Page } from "../App";

export const pages: Page[] = [
  { path: "/notifications/", component: lazy(() => import("./NotificationCenter")) },
];
