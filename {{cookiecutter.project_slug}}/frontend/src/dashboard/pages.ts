import { lazy } from "react";
import type { Page } from "../apps";

export const pages: Page[] = [{ path: "/dashboard/", component: lazy(() => import("./DashboardRealtime")) }];
