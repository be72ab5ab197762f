/* A WebSocket that stays connected.

     const socket = new RealtimeSocket("/ws/news/", { since: 41, ids: { article: "article_id" } });
     socket.on("article", (frame) => ...);             // one event per frame type
     socket.on("state", ({ state, reason }) => ...);   // connecting, connected, reconnecting, offline, closed
     const reply = await socket.request({ type: "subscribe", topic: "weather" });

   `ids` names the frames that the server can replay and the field that numbers them. After a break the socket
   asks for what it missed (?since=), and shows each of them once. */

const LOGIN = "/accounts/login/";
const TICKET = "/api/ws-ticket/";
const FINAL = { 4403: "You are not allowed in here.", 4404: "This does not exist, or not any more." };
const FIRST_DELAY = 0.5; // seconds; doubles with each failure, the wait is a random part of it
const LONGEST_DELAY = 10; // seconds
const PATIENCE = 10; // seconds without an answer after which a connection counts as dead

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
  #seen = new Set();
  #socket;
  #turn = 0; // the number of the current attempt; what an earlier one still does is ignored
  #requests = new Map(); // id -> { resolve, reject }
  #lastRequest = 0;
  #attempt = 0;
  #after; // seconds to wait, as the server asked
  #unauthenticated = false;
  #retry;
  #heartbeat;
  #deadline;

  constructor(path, { since, ids = {} } = {}) {
    super();
    this.#path = path;
    this.#ids = ids;
    this.#since = since;
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
    this.#connect();
  }

  /** Call `handler(frame)` for each frame of this type. */
  on(type, handler) {
    this.addEventListener(type, (event) => handler(event.detail));
  }

  /** Send a frame that needs no answer; without a connection it is dropped. */
  send(frame) {
    if (this.state === "connected") this.#socket.send(JSON.stringify(frame));
  }

  /** Send a frame; resolves with its reply, rejects with a RealtimeError if it fails or the connection breaks. */
  request(frame) {
    if (this.state !== "connected") return Promise.reject(new RealtimeError("offline", "There is no connection."));
    const id = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      this.send({ ...frame, id });
    });
  }

  async #connect() {
    const turn = ++this.#turn;
    this.#retry = undefined;
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
    this.#socket.onclose = (event) => turn === this.#turn && this.#lost(event.code);
  }

  #receive(frame) {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    if (frame.type === "connection_established") this.#connected(frame);
    if (frame.type === "reconnect") this.#after = frame.after;
    if (this.#requests.has(frame.id)) {
      const { resolve, reject } = this.#requests.get(frame.id);
      this.#requests.delete(frame.id);
      return frame.type === "error" ? reject(new RealtimeError(frame.code, frame.detail)) : resolve(frame);
    }
    const id = frame[this.#ids[frame.type]];
    if (id !== undefined) {
      if (this.#seen.has(id)) return;
      this.#seen.add(id);
      this.#since = Math.max(this.#since ?? 0, id);
    }
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  }

  #connected({ heartbeat }) {
    this.#unauthenticated = false;
    this.#heartbeat = setInterval(() => {
      this.#attempt = 0; // it holds, so the next break starts with a short wait again
      this.#ping();
    }, heartbeat * 1000);
    this.#become("connected");
  }

  #lost(code) {
    this.#turn++;
    this.#socket?.close();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    for (const { reject } of this.#requests.values()) {
      reject(new RealtimeError("offline", "The connection broke before the server answered."));
    }
    this.#requests.clear();

    if (code in FINAL) return this.#become("closed", FINAL[code]);
    if (code === 4401 && this.#unauthenticated) {
      return location.assign(`${LOGIN}?next=${encodeURIComponent(location.pathname)}`);
    }
    this.#unauthenticated = code === 4401;
    this.#become(navigator.onLine ? "reconnecting" : "offline");
    const delay = this.#after ?? Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt++);
    this.#after = undefined;
    this.#retry = setTimeout(() => this.#connect(), delay * 1000);
  }

  // The network or the tab came back: find out at once whether the connection did too.
  #wake() {
    if (this.state === "connected") this.#ping();
    else if (this.#retry) {
      clearTimeout(this.#retry);
      this.#connect();
    }
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

async function fetchTicket() {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(TICKET, { method: "POST", headers: { "X-CSRFToken": token } });
  if ([401, 403].includes(response.status)) throw new RealtimeError(4401, "Not logged in.");
  return (await response.json()).ticket;
}
