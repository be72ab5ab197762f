import { vi } from "vitest";
import { RealtimeSocket, type State } from "./realtime.js";

// biome-ignore lint/suspicious/noExplicitAny: what tests of the client say is in no consumer's types
export type Any = any;

/** The client without its types. */
export interface AnySocket extends EventTarget {
  readonly state: State;
  readonly reason: string | undefined;
  on(type: string, handler: (frame: Any) => void): () => void;
  send(frame: object): boolean;
  request(frame: object): Promise<Any>;
  close(reason?: string): void;
}

export const AnySocket = RealtimeSocket as Any as new (path: string, options?: object) => AnySocket;

/** Stands for the browser's WebSocket; the test is the server. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number; reason: string }) => void;

  constructor(
    readonly url: URL,
    readonly protocols: string[] = [],
  ) {
    FakeSocket.all.push(this);
  }

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  says(type: string, fields: object = {}) {
    this.readyState = 1;
    this.onmessage?.({ data: JSON.stringify({ type, ...fields }) });
  }

  greets(fields: object = {}) {
    this.says("connection_established", { heartbeat: 25, ...fields });
  }

  ends(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

/** Let time pass: `ms`, or as long as what has been begun takes without a wait. */
export const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

/** The newest connection; there have to be `count` of them so far. */
export function line(count: number): FakeSocket {
  const newest = FakeSocket.all.at(-1);
  if (!newest || FakeSocket.all.length !== count) throw new Error(`${FakeSocket.all.length} connections`);
  return newest;
}

/** Before each test: a clock that the test moves, and no network. */
export function pretend() {
  FakeSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
}

export function pretendNoMore() {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
}
