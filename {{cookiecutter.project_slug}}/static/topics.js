/* Many sockets over one: transports for RealtimeSocket, which does not notice.

     const open = overOne(); // for all sockets of the page
     new RealtimeSocket("/ws/news/", { open });
     new RealtimeSocket("/ws/weather/", { open });

   The paths become topics of a single WebSocket at `/ws/`, with one handshake and one ping for all. Where that is not
   to be had, and for a path that cannot be a topic, there is a WebSocket for each path as ever.

   `overWorker()` does the same for all tabs of the browser, in a SharedWorker (worker.js). Where there is none, or no
   Web Locks to tell that a tab has gone, it is `overOne()`.

   Options:
     path  of the WebSocket that takes topics
     user  the id of the page's user, or null: pages of another one, such as a tab from before the login, share nothing */

import { openWebSocket, RealtimeError } from "./realtime.js";

const OPEN = 1;
const CLOSED = 3;
const BROKEN = 1006; // the code of a connection that ended without one, or was refused by something on the way
const NOT_FOUND = 4404;
const ALONE = 4421; // of a path that cannot be a topic; here also of a socket that is another user's
const REFUSED = ["already_subscribed", "invalid_message", "rate_limited", "too_many_topics"]; // instead of a topic
const PATIENCE = 9_000; // ms for an answer; a little less than a RealtimeSocket has
const FRESH = 2_000; // ms for which a pong answers the pings of all topics
const LINGER = 5_000; // ms that the connection stays without a topic, since one may be on its way back
const WORKER_PATIENCE = 2_000; // ms for the worker to answer, which may have to be started
const PING = JSON.stringify({ type: "ping" });

/** A transport that takes all sockets which have it over one. */
export function overOne({ path = "/ws/", user } = {}) {
  const line = new Line(path, user);
  return (url, authorize) => line.open(url, authorize);
}

/** The WebSocket at `/ws/`, and its topics. */
class Line {
  #path;
  #user;
  #socket; // once it has greeted
  #opening; // the handshake that is under way: whose proof it takes, and a promise of its end
  #topics = new Map(); // name -> Topic
  #last = 0; // subscriptions of a connection are numbered: what is still under way for one is not for the next
  #alone = new Set(); // paths that cannot be topics
  #failures = 0; // handshakes here in a row that failed while those of the paths did not
  #refreshing; // the topic that has sent a new token
  #ponged = 0;
  #deadline; // of an answer that is awaited
  #leaving;

  constructor(path, user) {
    this.#path = path;
    this.#user = user;
    // The browser may keep the page for the way back, but not its connection.
    globalThis.addEventListener?.("pagehide", () => this.#end(BROKEN));
  }

  async open(url, authorize) {
    if (this.#failures > 1 || this.#alone.has(url.pathname)) return openWebSocket(url, authorize);
    clearTimeout(this.#leaving);
    try {
      await this.#connected(url, authorize);
    } catch (error) {
      if (![BROKEN, NOT_FOUND, ALONE].includes(error.code)) throw error;
      return this.#openAlone(url, authorize, error.code);
    }
    const since = url.searchParams.get("since");
    url.searchParams.delete("since");
    const topic = new Topic(this, `${url.pathname}${url.search}#${++this.#last}`, url, since, authorize);
    this.#topics.set(topic.name, topic);
    const subscribe = { type: "subscribe", topic: topic.name };
    this.#send(since === null ? subscribe : { ...subscribe, since: Number(since) });
    return topic;
  }

  /** Send what a topic has to say. */
  send(topic, text) {
    if (text === PING) return this.#ping(topic);
    // A login is that of the whole connection, so this is not for the topic.
    if (text.startsWith('{"type":"auth.refresh"')) this.#refreshing = topic;
    else text = `${text.slice(0, -1)},"topic":${JSON.stringify(topic.name)}}`;
    this.#socket?.send(text);
  }

  leave(topic) {
    if (this.#topics.get(topic.name) !== topic) return; // it may be that of a later connection
    this.#topics.delete(topic.name);
    this.#send({ type: "unsubscribe", topic: topic.name });
    this.#leaveLater();
  }

  // Several sockets begin at once: the first one's proof is for all. If it cannot give one, the next one tries.
  async #connected(url, authorize) {
    while (!this.#socket) {
      this.#opening ??= { authorize, done: this.#connect(url, authorize) };
      const opening = this.#opening;
      try {
        await opening.done;
      } catch (error) {
        if (!error.unproven || opening.authorize === authorize) throw error;
      } finally {
        if (this.#opening === opening) this.#opening = undefined;
      }
    }
  }

  async #connect(url, authorize) {
    const socket = await openWebSocket(new URL(this.#path, url), () =>
      soon(authorize()).catch((error) => {
        throw Object.assign(error, { unproven: true });
      }),
    );
    return new Promise((resolve, reject) => {
      const fail = ({ code = BROKEN, reason } = {}) => {
        clearTimeout(timer);
        socket.onclose = socket.onmessage = null;
        socket.close();
        reject(new RealtimeError(code, reason || "There is no connection."));
      };
      const timer = setTimeout(fail, PATIENCE);
      socket.onclose = fail;
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.type !== "connection_established") return;
        if (this.#user !== undefined && String(frame.user.id) !== String(this.#user)) return fail({ code: ALONE });
        clearTimeout(timer);
        this.#failures = 0;
        this.#socket = socket;
        socket.onmessage = (event) => this.#receive(event);
        socket.onclose = ({ code, reason }) => this.#end(code, reason);
        resolve();
      };
    });
  }

  async #openAlone(url, authorize, code) {
    const socket = await openWebSocket(url, authorize);
    if (code === NOT_FOUND) this.#failures = 2;
    if (code === BROKEN) socket.addEventListener("open", () => this.#failures++);
    return socket;
  }

  #receive(event) {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    const frame = JSON.parse(event.data);
    const topic = this.#topics.get(frame.topic);
    if (topic && frame.type === "closed") this.#closed(topic, frame);
    else if (topic && frame.type === "error" && !topic.begun && REFUSED.includes(frame.code)) this.#refused(topic, frame);
    else if (topic) topic.receive(event);
    else if (frame.topic === undefined) this.#receiveOwn(frame, event);
  }

  #receiveOwn(frame, event) {
    if (frame.type === "pong") this.#pong(event);
    else if (frame.type === "token_expiring") this.#topics.values().next().value?.receive(event);
    else if (frame.type === "reconnect") for (const topic of this.#topics.values()) topic.receive(event);
    else this.#refreshing?.receive(event);
  }

  #closed(topic, { code, reason }) {
    this.#topics.delete(topic.name);
    this.#leaveLater();
    if (code !== ALONE) return topic.end({ code, reason });
    this.#alone.add(topic.url.pathname);
    topic.moveOut();
  }

  #refused(topic, { code, detail }) {
    this.#topics.delete(topic.name);
    if (code === "rate_limited") topic.end({ code: 1013, reason: detail });
    else topic.moveOut();
  }

  #ping(topic) {
    topic.pinged = true;
    if (this.#deadline !== undefined) return;
    if (Date.now() - this.#ponged < FRESH) return queueMicrotask(() => this.#pong({ data: '{"type":"pong"}' }));
    this.#deadline = setTimeout(() => this.#end(BROKEN), PATIENCE);
    this.#socket?.send(PING);
  }

  #pong(event) {
    this.#ponged = Date.now();
    for (const topic of this.#topics.values()) {
      if (topic.pinged) topic.receive(event);
      topic.pinged = false;
    }
  }

  #send(frame) {
    this.#socket?.send(JSON.stringify(frame));
  }

  #leaveLater() {
    clearTimeout(this.#leaving);
    if (!this.#topics.size) this.#leaving = setTimeout(() => this.#topics.size || this.#end(1000), LINGER);
  }

  #end(code, reason) {
    const socket = this.#socket;
    const topics = [...this.#topics.values()];
    this.#socket = this.#refreshing = this.#deadline = void clearTimeout(this.#deadline);
    this.#topics.clear();
    this.#last = 0;
    if (socket) socket.onclose = socket.onmessage = null;
    socket?.close();
    for (const topic of topics) topic.end({ code, reason });
  }
}

/** A proof, unless it takes too long: others wait for it, too. */
function soon(proof) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, PATIENCE, new RealtimeError(undefined, "There is no proof in time."));
  });
  return Promise.race([proof, late]).finally(() => clearTimeout(timer));
}

/** What a RealtimeSocket takes for its WebSocket. */
class Topic {
  readyState = OPEN;
  onmessage = null;
  onclose = null;
  begun = false; // something has come
  pinged = false; // it waits for a pong
  #line;
  #since;
  #authorize;
  #own; // the WebSocket that it has instead

  constructor(line, name, url, since, authorize) {
    this.#line = line;
    this.name = name;
    this.url = url;
    this.#since = since;
    this.#authorize = authorize;
  }

  send(text) {
    if (this.readyState !== OPEN) return;
    if (this.#own) this.#own.send(text);
    else this.#line.send(this, text);
  }

  close() {
    this.readyState = CLOSED;
    if (this.#own) this.#own.close();
    else this.#line.leave(this);
  }

  receive(event) {
    this.begun = true;
    this.onmessage?.(event);
  }

  end(event) {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.onclose?.(event);
  }

  /** Go on with a WebSocket for the path alone. */
  async moveOut() {
    if (this.#since !== null) this.url.searchParams.set("since", this.#since);
    try {
      const own = await openWebSocket(this.url, this.#authorize);
      if (this.readyState === CLOSED) return own.close();
      this.#own = own;
      own.onmessage = (event) => this.receive(event);
      own.onclose = (event) => this.end(event);
    } catch (error) {
      this.end({ code: error.code });
    }
  }
}

/** A transport that takes all sockets of all tabs over one. */
export function overWorker({ path, user } = {}) {
  const alone = overOne({ path, user });
  if (!globalThis.SharedWorker || !globalThis.navigator?.locks) return alone;
  let worker;
  return async (url, authorize) => {
    worker ??= new Tab();
    const lock = await worker.locked;
    if (worker.failed) return alone(url, authorize);
    return worker.open({ url: url.href, path, user, lock }, authorize, () => alone(url, authorize));
  };
}

/** This tab's end of the SharedWorker. It holds a lock, and the worker waits for that: it is free when the tab is gone. */
class Tab {
  failed = false; // there is no such worker, or it does not answer
  #worker;
  #release;

  constructor() {
    this.#worker = new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module", name: "realtime" });
    this.#worker.onerror = () => {
      this.failed = true;
    };
    this.#hold();
    // A page that holds a lock is not kept for the way back.
    addEventListener("pagehide", () => this.#release());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#hold());
  }

  #hold() {
    const lock = crypto.randomUUID();
    const held = new Promise((resolve) => {
      this.#release = resolve;
    });
    this.locked = new Promise((resolve) => {
      navigator.locks.request(lock, () => {
        resolve(lock);
        return held;
      });
    });
  }

  /** Have the worker open a topic; what goes in and out of it goes through a port. */
  open(request, authorize, instead) {
    const { port1: port, port2 } = new MessageChannel();
    return new Promise((resolve, reject) => {
      const socket = {
        readyState: OPEN,
        onmessage: null,
        onclose: null,
        send: (text) => port.postMessage(text),
        close() {
          socket.readyState = CLOSED;
          port.postMessage({ close: true });
        },
      };
      const timer = setTimeout(() => {
        this.failed = true;
        port.close();
        resolve(instead());
      }, WORKER_PATIENCE);
      port.onmessage = async ({ data }) => {
        clearTimeout(timer);
        if (typeof data === "string") socket.onmessage?.({ data });
        else if (data.ask) port.postMessage(await answer(authorize));
        else if (data.open) resolve(socket);
        else if (data.closed) {
          socket.readyState = CLOSED;
          port.close();
          reject(new RealtimeError(data.closed.code, data.closed.reason));
          socket.onclose?.(data.closed);
        }
      };
      this.#worker.port.postMessage(request, [port2]);
    });
  }
}

async function answer(authorize) {
  try {
    return { proof: await authorize() };
  } catch (error) {
    return { refused: { code: error.code, detail: error.message } };
  }
}
