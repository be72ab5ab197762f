/* A WebSocket that stays connected.

     const socket = new RealtimeSocket("/ws/news/", { since: 41, ids: { article: "article_id" } });
     const off = socket.on("article", (frame) => ...); // one event per frame type, until off()
     socket.on("state", ({ state, reason }) => ...);   // connecting, connected, reconnecting, offline, closed
     const reply = await socket.request({ type: "subscribe", topic: "weather" });
     socket.close();

   `ids` names the frames that the server can replay and the field that numbers them, upwards. After a break the
   socket asks for what it missed (?since=), and shows each of them once. If that was too much, a `gap` event says
   after which id, `resumed`, it goes on; without `ids` nothing is asked for, and each connection begins anew. */

const LOGIN = "/accounts/login/";
const TICKET = "/api/ws-ticket/";
const FINAL = {
  4403: "You are not allowed in here.",
  4404: "This does not exist, or not any more.",
  4410: "The staff has ended this connection. Reload the page to come back.",
};
const BUSY = [1013, 4013, 4429]; // too much for the server, for now; some servers say 1013 as 4013
const FIRST_DELAY = 0.5; // seconds; doubles with each failure, the wait is a random part of it
const LONGEST_DELAY = 10; // seconds; a busy server is left alone for half of it, or more
const PATIENCE = 10; // seconds without an answer after which a request has failed, and a connection counts as dead

export class RealtimeError extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

export class RealtimeSocket extends EventTarget {
  state = "connecting";
  #path;
  #ids;
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
  #life = new AbortController(); // ends with close(), and all listeners with it

  constructor(path, { since, ids = {} } = {}) {
    super();
    this.#path = path;
    this.#ids = ids;
    this.#since = since;
    const { signal } = this.#life;
    addEventListener("online", () => this.#wake(), { signal });
    addEventListener("pagehide", () => this.#sleep(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#wake(), { signal });
    document.addEventListener("resume", () => this.#wake(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake(), { signal });
    this.#connect();
  }

  /** Call `handler(frame)` for each frame of this type; returns a function that ends this. */
  on(type, handler) {
    const listener = ({ detail }) => handler(detail);
    this.addEventListener(type, listener, { signal: this.#life.signal });
    return () => this.removeEventListener(type, listener);
  }

  /** Send a frame that needs no answer; without a connection it is dropped. */
  send(frame) {
    if (this.state !== "connected" || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(frame));
  }

  /** Send a frame; resolves with its reply. Rejects with a RealtimeError: the server's own, or with the code
      "offline" (there is no connection, or it broke), "timeout" or "closed"; then it may have been carried out. */
  request(frame) {
    if (this.state !== "connected") return Promise.reject(new RealtimeError("offline", "There is no connection."));
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
    this.#become("closed", reason);
    this.#life.abort();
  }

  async #connect() {
    clearTimeout(this.#retry);
    const turn = ++this.#turn;
    this.#expectAnswer();
    const url = new URL(this.#path, location.href.replace(/^http/, "ws"));
    if (this.#since !== undefined) url.searchParams.set("since", this.#since);
    try {
      if (document.querySelector("meta[name=ws-auth]").content === "ticket") {
        url.searchParams.set("ticket", await fetchTicket());
      }
    } catch (error) {
      if (turn === this.#turn) this.#lost(error.code);
    }
    if (turn !== this.#turn) return;
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = (event) => turn === this.#turn && this.#receive(JSON.parse(event.data));
    this.#socket.onclose = (event) => turn === this.#turn && this.#lost(event.code, event.reason);
  }

  #receive(frame) {
    if (frame.type === "connection_established") this.#connected(frame);
    if (this.state === "connected") {
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
    }
    if (frame.type === "reconnect") this.#after = frame.after;
    if (frame.type === "gap" && this.#since !== undefined) this.#since = frame.resumed;
    const settle = ["reply", "error"].includes(frame.type) && this.#requests.get(frame.id);
    if (settle) return settle(frame.type === "error" ? new RealtimeError(frame.code, frame.detail) : frame);
    const id = frame[this.#ids[frame.type]];
    if (id <= this.#since) return;
    this.#since = id ?? this.#since;
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
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

  #lost(code, reason) {
    this.#drop();
    if (code in FINAL) return this.close(code === 4403 && reason ? `${reason}.` : FINAL[code]);
    if (code === 4401 && this.#unauthenticated) return this.#logIn();
    this.#unauthenticated = code === 4401;
    if (BUSY.includes(code)) this.#after ??= (LONGEST_DELAY * (1 + Math.random())) / 2;
    const delay = this.#after ?? Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt++);
    this.#after = undefined;
    this.#retry = setTimeout(() => this.#connect(), delay * 1000);
    this.#become(navigator.onLine ? "reconnecting" : "offline");
  }

  #drop(error = new RealtimeError("offline", "The connection broke before the server answered.")) {
    this.#turn++;
    this.#socket?.close();
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    for (const settle of this.#requests.values()) settle(error);
  }

  // Who was never let in since the page came is logged in as far as the page knows: the login page would send
  // them back here, round and round.
  #logIn() {
    if (!this.#greeted) return this.close("You are not logged in here.");
    this.#become("offline", "You are logged out.");
    location.assign(`${LOGIN}?next=${encodeURIComponent(location.pathname)}`);
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
    this.dispatchEvent(new CustomEvent("state", { detail: { state, reason } }));
  }
}

export async function fetchTicket() {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const signal = AbortSignal.timeout(PATIENCE * 1000);
  const response = await fetch(TICKET, { method: "POST", headers: { "X-CSRFToken": token }, signal });
  if ([401, 403].includes(response.status)) throw new RealtimeError(4401, "Not logged in.");
  if (!response.ok) throw new Error(`${TICKET} answered ${response.status}.`);
  return (await response.json()).ticket;
}
