import { lazy } from "react";
import type { Page } from "../apps";

export { Bell as Header } from "./Bell";

export const pages: Page[] = [
  { path: "/notifications/", component: lazy(() => import("./NotificationCenter")) },
];
