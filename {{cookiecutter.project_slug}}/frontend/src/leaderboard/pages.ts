import { lazy } from "react";
import type { Page } from "../apps";

export const pages: Page[] = [{ path: "/leaderboard/", component: lazy(() => import("./Leaderboard")) }];
