import { lazy } from "react";
import type { Page } from "../apps";

export const pages: Page[] = [
  { path: "/mentoring/", component: lazy(() => import("./Mentoring")) },
  { path: "/mentoring/mentors/:id/", component: lazy(() => import("./Mentor")) },
  { path: "/mentoring/students/:id/", component: lazy(() => import("./Student")) },
];
