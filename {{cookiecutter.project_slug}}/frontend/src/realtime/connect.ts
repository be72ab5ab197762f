import { api, logIn } from "../api";
import { type Options, type Path, RealtimeSocket, type Transport } from "./realtime.js";
import { overOne, overWorker } from "./topics.js";

let ticketed = false;
let open: Transport | undefined;
let shared = ""; // among whom they are

/** Have sockets opened by tickets, where they do not take the session's cookie. */
export function openByTicket(needed: boolean) {
  ticketed = needed;
}

/** Have all sockets of the page, or of all tabs of this user, share one; `no`: each has its own. */
export function share(among: "no" | "page" | "browser", user: number | null) {
  if (shared === `${among} ${user}`) return;
  shared = `${among} ${user}`;
  if (among === "no") open = undefined;
  else open = among === "page" ? overOne({ user }) : overWorker({ user });
}

async function authorize() {
  if (!ticketed) return undefined;
  return api<{ ticket: string }>("/api/ws-ticket/", {});
}

export function connect<P extends Path>(path: P, options: Options<P>) {
  return new RealtimeSocket(path, { authorize, onLoggedOut: logIn, open, ...options });
}
