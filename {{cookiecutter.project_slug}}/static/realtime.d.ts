import type { Sockets } from "./frames";

export type Path = keyof Sockets & string;
export type ClientFrame<P extends Path> = Sockets[P]["client"];
export type ServerFrame<P extends Path> = Sockets[P]["server"];
export type Reply<P extends Path, F> = F extends { type: infer T extends keyof Sockets[P]["replies"] }
  ? Sockets[P]["replies"][T]
  : never;
export type State = "connecting" | "connected" | "reconnecting" | "offline" | "closed";

export interface Options {
  since?: number;
  ids?: Record<string, string>;
  authorize?: () => Promise<{ ticket: string } | { token: string } | undefined>;
  onLoggedOut?: () => void;
}

export class RealtimeError extends Error {
  constructor(code: string | number, detail: string);
  code: string | number;
}

export class RealtimeSocket<P extends Path> {
  constructor(path: P, options?: Options);
  readonly state: State;
  on(type: "state", handler: (change: { state: State; reason?: string }) => void): () => void;
  /** `*` stands for every frame. */
  on(type: "*", handler: (frame: ServerFrame<P>) => void): () => void;
  on<T extends ServerFrame<P>["type"]>(
    type: T,
    handler: (frame: Extract<ServerFrame<P>, { type: T }>) => void,
  ): () => void;
  send(frame: ClientFrame<P>): void;
  request<F extends ClientFrame<P>>(frame: F): Promise<Reply<P, F>>;
  close(reason?: string): void;
}
