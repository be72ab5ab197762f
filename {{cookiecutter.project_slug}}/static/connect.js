/* Sockets of the pages that Django's templates make: as the user of the page, who is sent to log in when that ends. */

import { RealtimeError, RealtimeSocket } from "./realtime.js";

const LOGIN = document.querySelector("meta[name=login]")?.content ?? "/accounts/login/";
const TICKET = "/api/ws-ticket/";
const PATIENCE = 10_000; // ms that a ticket may take

const TRANSPORTS = { page: "overOne", browser: "overWorker" }; // by what WS_SHARE says
let transport;

/** Open a RealtimeSocket with its options as the user of this page. */
export function connect(path, options) {
  return new RealtimeSocket(path, { authorize, onLoggedOut: logIn, open: shared(), ...options });
}

/** Return the transport that all sockets of this page share, if they do. */
function shared() {
  const { content, dataset } = document.querySelector("meta[name=ws-share]") ?? {};
  if (!(content in TRANSPORTS)) return;
  return async (url, authorize) => {
    transport ??= import("./topics.js").then((topics) => topics[TRANSPORTS[content]]({ user: dataset.user || null }));
    return (await transport)(url, authorize);
  };
}

/** Return the proof for a handshake: a ticket where the project asks for one, nothing where the cookie will do. */
export async function authorize() {
  if (document.querySelector("meta[name=ws-auth]").content !== "ticket") return;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const signal = AbortSignal.timeout(PATIENCE);
  const response = await fetch(TICKET, { method: "POST", headers: { "X-CSRFToken": token }, signal });
  if ([401, 403].includes(response.status)) throw new RealtimeError(4401, "Not logged in.");
  if (!response.ok) throw new Error(`${TICKET} answered ${response.status}.`);
  return { ticket: (await response.json()).ticket };
}

function logIn() {
  location.assign(`${LOGIN}?next=${encodeURIComponent(location.pathname)}`);
}
