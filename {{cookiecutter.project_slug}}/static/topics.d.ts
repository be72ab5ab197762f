import type { Transport } from "./realtime.js";

export interface Sharing {
  /** The WebSocket that takes topics; `/ws/`. */
  path?: string | undefined;
  /** The id of the page's user, or null: pages of another user share nothing. */
  user?: number | string | null | undefined;
}

/** A transport that takes all sockets which have it over one; `topics.js` says how. */
export function overOne(options?: Sharing): Transport;

/** The same for all tabs of the browser. */
export function overWorker(options?: Sharing): Transport;
