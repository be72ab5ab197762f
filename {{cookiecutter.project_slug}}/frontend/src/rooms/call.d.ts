import type { RealtimeSocket, State } from "../realtime/realtime.js";
import type { Media } from "./media.js";
import type { Person, RoomFrame, RoomPath } from "./room";

/** What a call needs of the socket of its room. */
export interface CallSocket {
  readonly state: State;
  on(type: string, handler: (frame: never) => void): () => void;
  send: RealtimeSocket<RoomPath>["send"];
  request: RealtimeSocket<RoomPath>["request"];
}

/** What the others tell, or we tell them. */
export interface Status {
  muted?: boolean;
  video?: "camera" | "screen" | "none";
}

/** The connection to one other participant; see peer.js. */
export interface Peer {
  readonly state: "connecting" | "connected" | "lost" | "failed";
  readonly status: Status;
  readonly stream: MediaStream;
}

export interface Notice {
  subject: string;
  text?: string | false;
}

/** Who is in a room's call, and the connections to them. Events: `change`, `notice` with a `Notice`. */
export class Call extends EventTarget {
  constructor(
    socket: CallSocket,
    me: Person,
    known?: { call: Extract<RoomFrame, { type: "connection_established" }>["call"]; host: boolean },
  );
  readonly session: string | null;
  readonly host: boolean;
  readonly media: Media;
  readonly members: ReadonlyMap<number, { user: Person; peer?: Peer }>;
  readonly status: Required<Status>;
  join(options: { video: boolean; muted?: boolean }): Promise<void>;
  leave(): void;
  end(): Promise<void>;
  close(): void;
}
