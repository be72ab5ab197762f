import { lazy } from "react";
import type { Page } from "../App";

export const pages: Page[] = [{ path: "/leaderboard/", component: lazy(() => import("./Leaderboard")) }];
