/* A WebSocket that stays connected. It knows no page and no framework, so it serves browsers, workers and Node.

     const socket = new RealtimeSocket("/ws/news/", { since: 41, ids: { article: "article_id" } });
     const off = socket.on("article", (frame) => ...); // one event per frame type, until off()
     socket.on("*", (frame) => ...);                   // every frame but replies
     socket.on("state", ({ state, reason }) => ...);   // connecting, connected, reconnecting, offline, closed
     const reply = await socket.request({ type: "subscribe", topic: "weather" });
     socket.close();

   Options:
     ids         the frames that the server can replay, and the field that numbers them, upwards. After a break the
                 socket asks for what it missed (?since=), and shows each of them once. If that was too much, a
                 `gap` event says after which id, `resumed`, it goes on. Without `ids` each connection begins anew.
     since       the last id that the page knows already
     base        the address that the path belongs to; the page's own
     authorize   (renew) => Promise of {ticket}, {token} or nothing (then it is the cookie): the proof for a handshake,
                 and for going on when a token expires. `renew`: the last one has expired, or was refused.
     onLoggedOut () => void: the server let this socket in once, and refuses a new proof, too
     open        (url, authorize) => what has send, close, readyState, onmessage and onclose, or a promise of it */

const FINAL = {
  4403: "You are not allowed in here.",
  4404: "This does not exist, or not any more.",
  4410: "The staff has ended this connection. Reload the page to come back.",
};
const BUSY = [1013, 4013, 4429]; // too much for the server, for now; some servers say 1013 as 4013
const FIRST_DELAY = 0.5; // seconds; doubles with each failure, the wait is a random part of it
const LONGEST_DELAY = 10; // seconds; a busy server is left alone for half of it, or more
const PATIENCE = 10; // seconds without an answer after which a request has failed, and a connection counts as dead
const MOST_REQUESTS = 500; // that wait for an answer; a server takes no more in that time
const OPEN = 1;

export class RealtimeError extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

export class RealtimeSocket extends EventTarget {
  state = "connecting";
  reason; // of the state, in words, where there is more to say
  #path;
  #options;
  #since;
  #socket;
  #turn = 0; // the number of the current attempt; what an earlier one still does is ignored
  #requests = new Map(); // id -> function that takes the reply, or an error
  #lastRequest = 0;
  #attempt = 0;
  #after; // seconds to wait, as the server asked
  #greeted = false;
  #unauthenticated = false;
  #retry;
  #heartbeat;
  #deadline; // of an answer that is awaited
  #life = new AbortController(); // ends with close(), and what listens to the browser with it

  constructor(path, options = {}) {
    super();
    this.#path = path;
    this.#options = options;
    this.#since = options.since;
    const page = globalThis.document;
    this.#listen(globalThis, "online", () => this.#wake());
    this.#listen(globalThis, "offline", () => this.state === "connected" && this.#ping());
    this.#listen(globalThis, "pagehide", () => this.#sleep());
    this.#listen(globalThis, "pageshow", ({ persisted }) => persisted && this.#wake());
    this.#listen(page, "resume", () => this.#wake());
    this.#listen(page, "visibilitychange", () => page.hidden || this.#wake());
    this.#connect();
  }

  /** Call `handler(frame)` for each frame of this type; returns a function that ends this. */
  on(type, handler) {
    const listener = ({ detail }) => handler(detail);
    this.addEventListener(type, listener);
    return () => this.removeEventListener(type, listener);
  }

  /** Send a frame that needs no answer. Without a connection it is dropped; returns whether it was sent. */
  send(frame) {
    const open = this.state === "connected" && this.#socket.readyState === OPEN;
    if (open) this.#socket.send(JSON.stringify(frame));
    return open;
  }

  /** Send a frame; resolves with its reply. Rejects with a RealtimeError: the server's own, or with the code
      "offline" (there is no connection, or it broke), "timeout" or "closed"; then it may have been carried out. Or
      with "rate_limited": 500 others wait for their reply. */
  async request(frame) {
    if (this.state !== "connected") throw new RealtimeError("offline", "There is no connection.");
    if (this.#requests.size === MOST_REQUESTS) throw new RealtimeError("rate_limited", "Too many wait for a reply.");
    const id = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      const timeout = new RealtimeError("timeout", "The server did not answer in time.");
      const timer = setTimeout(() => settle(timeout), PATIENCE * 1000);
      const settle = (reply) => {
        clearTimeout(timer);
        this.#requests.delete(id);
        if (reply instanceof Error) reject(reply);
        else resolve(reply);
      };
      this.#requests.set(id, settle);
      this.send({ ...frame, id });
    });
  }

  /** End the connection for good, and all events. */
  close(reason) {
    if (this.state === "closed") return;
    this.#drop(new RealtimeError("closed", reason ?? "The connection was closed."));
    this.#life.abort();
    this.#become("closed", reason);
  }

  #listen(target, type, handler) {
    target?.addEventListener?.(type, handler, { signal: this.#life.signal });
  }

  async #connect() {
    clearTimeout(this.#retry);
    const turn = ++this.#turn;
    const { base = globalThis.location?.href, open = openWebSocket } = this.#options;
    this.#expectAnswer();
    const url = new URL(this.#path, base);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.#since !== undefined) url.searchParams.set("since", this.#since);
    const authorize = async () => {
      const proof = await this.#authorize(this.#unauthenticated);
      if (turn !== this.#turn) throw new RealtimeError("closed", "Nobody waits for this connection any more.");
      return proof;
    };
    try {
      const socket = await open(url, authorize);
      if (turn !== this.#turn) return socket.close();
      this.#socket = socket;
      socket.onmessage = (event) => turn === this.#turn && this.#receive(JSON.parse(event.data));
      socket.onclose = (event) => turn === this.#turn && this.#lost(event.code, event.reason);
    } catch (error) {
      if (turn === this.#turn) this.#lost(error.code);
    }
  }

  async #authorize(renew) {
    return this.#options.authorize?.(renew);
  }

  #receive(frame) {
    if (frame.type === "connection_established") this.#connected(frame);
    if (this.state === "connected") {
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
    }
    if (frame.type === "reconnect") this.#after = frame.after;
    if (frame.type === "token_expiring") this.#refresh();
    if (frame.type === "gap" && this.#since !== undefined) this.#since = frame.resumed;
    const settle = ["reply", "error"].includes(frame.type) && this.#requests.get(frame.id);
    if (settle) return settle(frame.type === "error" ? new RealtimeError(frame.code, frame.detail) : frame);
    const id = frame[this.#options.ids?.[frame.type]];
    if (id <= this.#since) return;
    this.#since = id ?? this.#since;
    this.#emit("*", frame);
    this.#emit(frame.type, frame);
  }

  #connected({ heartbeat }) {
    this.#greeted = true;
    this.#unauthenticated = false;
    this.#heartbeat = setInterval(() => {
      this.#attempt = 0; // it holds, so the next break starts with a short wait again
      this.#ping();
    }, heartbeat * 1000);
    this.#become("connected");
  }

  // If this fails, the server closes with 4401, after which the socket comes back with a new proof.
  async #refresh() {
    try {
      const { token } = await this.#authorize(true);
      if (token) await this.request({ type: "auth.refresh", token });
    } catch {}
  }

  #lost(code, reason) {
    this.#drop();
    if (code in FINAL) return this.close(code === 4403 && reason ? `${reason}.` : FINAL[code]);
    if (code === 4401 && this.#unauthenticated) return this.#loggedOut();
    this.#unauthenticated = code === 4401;
    if (BUSY.includes(code)) this.#after ??= (LONGEST_DELAY * (1 + Math.random())) / 2;
    const delay = this.#after ?? Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt++);
    this.#after = undefined;
    this.#retry = setTimeout(() => this.#connect(), delay * 1000);
    this.#become(globalThis.navigator?.onLine === false ? "offline" : "reconnecting");
  }

  #drop(error = new RealtimeError("offline", "The connection broke before the server answered.")) {
    this.#turn++;
    this.#socket?.close();
    this.#socket = undefined;
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    for (const settle of this.#requests.values()) settle(error);
  }

  // Who was never let in since the page came is logged in as far as the page knows: the login page would send
  // them back here, round and round.
  #loggedOut() {
    const { onLoggedOut } = this.#options;
    if (!this.#greeted || !onLoggedOut) return this.close("You are not logged in here.");
    this.#become("offline", "You are logged out.");
    onLoggedOut();
  }

  // The browser may keep the page for the way back, and its connection open without anybody there.
  #sleep() {
    this.#drop();
    this.#become("reconnecting");
  }

  // The network, the tab or the page came back: find out at once whether the connection did too.
  #wake() {
    if (this.state === "connected") this.#ping();
    else if (this.#deadline === undefined) this.#connect();
  }

  #ping() {
    this.send({ type: "ping" });
    this.#expectAnswer();
  }

  #expectAnswer() {
    this.#deadline ??= setTimeout(() => this.#lost(), PATIENCE * 1000);
  }

  #become(state, reason) {
    this.state = state;
    this.reason = reason;
    this.#emit("state", { state, reason });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The transport that a socket has if it is given no other: a WebSocket of its own. */
export async function openWebSocket(url, authorize) {
  const { ticket, token } = (await authorize()) ?? {};
  if (ticket) url.searchParams.set("ticket", ticket);
  return new WebSocket(url, token ? ["bearer", token] : []);
}
