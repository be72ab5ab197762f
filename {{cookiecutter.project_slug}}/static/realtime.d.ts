import type { Sockets } from "./frames";

/** Where there is a WebSocket. */
export type Path = keyof Sockets & string;

/** What a client may send there; the `id` of a frame is the socket's own affair. */
export type ClientFrame<P extends Path> = WithoutId<Sockets[P]["client"]>;
type WithoutId<F> = F extends unknown ? Omit<F, "id"> : never;

/** What comes from there. */
export type ServerFrame<P extends Path> = Sockets[P]["server"];
type ServerType<P extends Path> = ServerFrame<P>["type"];
type Named<P extends Path, T> = Extract<ServerFrame<P>, { type: T }>;

/** What a frame of the client is answered with. */
export type Reply<P extends Path, F> = F extends { type: infer T extends keyof Sockets[P]["replies"] }
  ? Sockets[P]["replies"][T]
  : never;

export type State = "connecting" | "connected" | "reconnecting" | "offline" | "closed";

export type Proof = { ticket: string; token?: never } | { token: string; ticket?: never } | undefined;

/** What a socket needs of what carries its frames. Nothing may happen on it before it has its `onmessage`. */
export interface WebSocketLike {
  readonly readyState: number;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

/** Opens what carries the frames of one connection; `authorize` is to be asked for a proof if one is needed. */
export type Transport = (url: URL, authorize: () => Promise<Proof>) => WebSocketLike | Promise<WebSocketLike>;

export interface Options<P extends Path = Path> {
  /** The last id that the page knows already. */
  since?: number | undefined;
  /** The frames that the server can replay, and the field that numbers them. */
  ids?: { [T in ServerType<P>]?: keyof Named<P, T> & string } | undefined;
  /** The address that the path belongs to; the page's own. */
  base?: string | URL | undefined;
  /** The proof for a handshake; `renew` says that the last one has expired, or was refused. */
  authorize?: ((renew: boolean) => Promise<Proof>) | undefined;
  /** The server let this socket in once, and refuses a new proof, too. */
  onLoggedOut?: (() => void) | undefined;
  open?: Transport | undefined;
}

export class RealtimeError extends Error {
  constructor(code: string | number, detail: string);
  readonly code: string | number;
}

/** A WebSocket that stays connected; `realtime.js` says how. */
export class RealtimeSocket<P extends Path> extends EventTarget {
  constructor(path: P, options?: Options<P>);
  readonly state: State;
  readonly reason: string | undefined;
  on(type: "state", handler: (change: { state: State; reason: string | undefined }) => void): () => void;
  /** `*` stands for every frame. */
  on(type: "*", handler: (frame: ServerFrame<P>) => void): () => void;
  on<T extends ServerType<P>>(type: T, handler: (frame: Named<P, T>) => void): () => void;
  /** Whether the frame was sent; without a connection it is not. */
  send(frame: ClientFrame<P>): boolean;
  /** The reply, or a `RealtimeError`. */
  request<T extends ClientFrame<P>["type"]>(
    frame: ClientFrame<P> & { type: T },
  ): Promise<Reply<P, { type: T }>>;
  close(reason?: string): void;
}

/** The transport that a socket has if it is given no other: a WebSocket of its own. */
export function openWebSocket(url: URL, authorize: () => Promise<Proof>): Promise<WebSocket>;
