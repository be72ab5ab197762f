import { api, logIn } from "../api";
import { type Options, type Path, RealtimeSocket } from "./realtime.js";

let ticketed = false;

/** Have sockets opened by tickets, where they do not take the session's cookie. */
export function openByTicket(needed: boolean) {
  ticketed = needed;
}

async function authorize() {
  if (!ticketed) return undefined;
  return api<{ ticket: string }>("/api/ws-ticket/", {});
}

export function connect<P extends Path>(path: P, options: Options<P>) {
  return new RealtimeSocket(path, { authorize, onLoggedOut: logIn, ...options });
}
