import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import { connect } from "./connect";
import {
  type Options,
  type Path,
  RealtimeError,
  type RealtimeSocket,
  type ServerFrame,
  type State,
} from "./realtime.js";

/** What a page remembers of a socket: a value, and how each frame changes it. */
export interface Channel<P extends Path, V> {
  initial: V;
  reduce(value: V, frame: ServerFrame<P>): V;
  since?: number | undefined;
  ids?: Options<P>["ids"];
}

export interface Live<P extends Path, V> {
  value: V;
  state: State;
  reason?: string | undefined;
  send: RealtimeSocket<P>["send"];
  request: RealtimeSocket<P>["request"];
}

const LINGER = 1000; // ms that a socket stays without a component, so that StrictMode does not open another one
const LATEST = 250; // ms after which a page that draws nothing, in a hidden tab for example, hears what is new

/** A socket, and the value that its frames make; both last for as long as some component shows them. */
class Shared<P extends Path, V> {
  live: Live<P, V>;
  #value: V;
  #socket: RealtimeSocket<P> | undefined;
  #handlers = new Set<(frame: ServerFrame<P>) => void>();
  #watchers = new Set<() => void>();
  #leaving: ReturnType<typeof setTimeout>;
  #frame: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly path: P,
    readonly channel: Channel<P, V>,
  ) {
    this.#value = channel.initial;
    this.live = {
      value: channel.initial,
      state: "connecting",
      send: (frame) => this.#socket?.send(frame) ?? false,
      request: async (frame) => {
        if (!this.#socket) throw new RealtimeError("offline", "There is no connection.");
        return this.#socket.request(frame);
      },
    };
    this.#leaving = setTimeout(this.#leave, LINGER);
  }

  watch = (watcher: () => void) => {
    if (!all.has(this.path)) all.set(this.path, this as never);
    clearTimeout(this.#leaving);
    this.#watchers.add(watcher);
    this.#socket ??= this.#open();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size) return;
      this.#leaving = setTimeout(this.#leave, this.#socket?.state === "closed" ? 0 : LINGER);
    };
  };

  hear(handler: (frame: ServerFrame<P>) => void) {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  #open() {
    const { initial, since, ids } = this.channel;
    this.#value = initial;
    const socket = connect(this.path, { since, ids });
    socket.on("state", this.#changed);
    socket.on("*", (frame) => {
      this.#value = this.channel.reduce(this.#value, frame);
      this.#changed();
      for (const handler of this.#handlers) handler(frame);
    });
    return socket;
  }

  // Components are told once for all that comes before the browser draws again.
  #changed = () => {
    if (this.#timer !== undefined) return;
    this.#frame = requestAnimationFrame(this.#tell);
    this.#timer = setTimeout(this.#tell, LATEST);
  };

  #tell = () => {
    this.#forget();
    if (!this.#socket) return;
    const { state, reason } = this.#socket;
    const { live } = this;
    if (this.#value === live.value && state === live.state && reason === live.reason) return;
    this.live = { ...live, value: this.#value, state, reason };
    for (const watcher of this.#watchers) watcher();
  };

  #forget() {
    cancelAnimationFrame(this.#frame ?? 0);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #leave = () => {
    this.#socket?.close();
    this.#socket = undefined;
    this.#forget();
    if (all.get(this.path) === (this as never)) all.delete(this.path);
  };
}

const all = new Map<Path, Shared<Path, unknown>>();

function share<P extends Path, V>(path: P, channel?: Channel<P, V>): Shared<P, V> {
  const found = all.get(path) as unknown as Shared<P, V> | undefined;
  if (found) return found;
  if (!channel)
    throw new Error(`useFrames: no component has opened ${path}; call useWebSocket above this one.`);
  const made = new Shared(path, channel);
  all.set(path, made as never);
  return made;
}

/** The value and the socket of a path. All components that ask for the same path share both; a socket goes by the
    channel of the first of them until the last has gone. */
export function useWebSocket<P extends Path, V>(path: P, channel: Channel<P, V>): Live<P, V> {
  const shared = share(path, channel);
  return useSyncExternalStore(shared.watch, () => shared.live);
}

/** Have a function called with each frame of a path that `useWebSocket` has opened, while the component is there:
    for what is to happen once. What is to be shown belongs into a channel. */
export function useFrames<P extends Path>(path: P, handler: (frame: ServerFrame<P>) => void): void {
  const hear = useEffectEvent(handler);
  useEffect(() => share<P, unknown>(path).hear((frame) => hear(frame)), [path]);
}
