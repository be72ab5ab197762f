import { lazy } from "react";
import type { Page } from "../App";

export const pages: Page[] = [{ path: "/dashboard/", component: lazy(() => import("./DashboardRealtime")) }];
