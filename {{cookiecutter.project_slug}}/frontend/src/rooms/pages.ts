import { lazy } from "react";
import type { Page } from "../apps";

export const pages: Page[] = [
  { path: "/rooms/", component: lazy(() => import("./Rooms")) },
  { path: "/rooms/:slug/", component: lazy(() => import("./RoomPage")) },
  { path: "/rooms/:slug/join/", component: lazy(() => import("./Join")) },
  { path: "/rooms/:slug/host/", component: lazy(() => import("./Host")) },
];
