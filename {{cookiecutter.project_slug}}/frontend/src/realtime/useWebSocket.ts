import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import { connect } from "./connect";
import type { ClientFrame, Path, RealtimeSocket, ServerFrame, State } from "./realtime.js";

/** What a page remembers of a socket: a value, and how each frame changes it. */
export interface Channel<P extends Path, V> {
  initial: V;
  reduce(value: V, frame: ServerFrame<P>): V;
  since?: number;
  ids?: Record<string, string>;
}

export interface Live<P extends Path, V> {
  value: V;
  state: State;
  reason?: string | undefined;
  send(frame: ClientFrame<P>): void;
  request: RealtimeSocket<P>["request"];
}

const LINGER = 1000; // ms that a socket stays without a component, so that StrictMode does not open another one

class Shared<P extends Path, V> {
  live: Live<P, V>;
  handlers = new Set<(frame: ServerFrame<P>) => void>();
  #socket: RealtimeSocket<P>;
  #watchers = new Set<() => void>();
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(path: P, channel: Channel<P, V>) {
    const { since, ids } = channel;
    const socket = connect(path, { ...(since === undefined ? {} : { since }), ...(ids ? { ids } : {}) });
    this.#socket = socket;
    this.live = {
      value: channel.initial,
      state: socket.state,
      send: (frame) => socket.send(frame),
      request: (frame) => socket.request(frame),
    };
    socket.on("state", ({ state, reason }) => this.#change({ state, reason }));
    socket.on("*", (frame) => {
      this.#change({ value: channel.reduce(this.live.value, frame) });
      for (const handler of this.handlers) handler(frame);
    });
  }

  watch = (watcher: () => void) => {
    this.#watchers.add(watcher);
    clearTimeout(this.#closing);
    return () => {
      this.#watchers.delete(watcher);
      if (!this.#watchers.size) this.#closing = setTimeout(() => this.#close(), LINGER);
    };
  };

  #change(part: Partial<Live<P, V>>) {
    this.live = { ...this.live, ...part };
    for (const watcher of this.#watchers) watcher();
  }

  #close() {
    this.#socket.close();
    for (const [path, shared] of all) if (shared === this) all.delete(path);
  }
}

const all = new Map<Path, unknown>();

function share<P extends Path, V>(path: P, channel?: Channel<P, V>): Shared<P, V> {
  let shared = all.get(path) as Shared<P, V> | undefined;
  if (!shared) {
    if (!channel) throw new Error(`${path} is not open here; call useWebSocket() first.`);
    shared = new Shared(path, channel);
    all.set(path, shared);
  }
  return shared;
}

/** The value and the socket of a path; all components that ask for the same path share both. */
export function useWebSocket<P extends Path, V>(path: P, channel: Channel<P, V>): Live<P, V> {
  const shared = share(path, channel);
  return useSyncExternalStore(shared.watch, () => shared.live);
}

/** Have a function called with each frame of a path that `useWebSocket` has opened, while the component is there. */
export function useFrames<P extends Path>(path: P, handler: (frame: ServerFrame<P>) => void) {
  const handle = useEffectEvent(handler);
  useEffect(() => {
    const { handlers } = share<P, unknown>(path);
    const own = (frame: ServerFrame<P>) => handle(frame);
    handlers.add(own);
    return () => void handlers.delete(own);
  }, [path]);
}
