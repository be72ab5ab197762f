import { useEffect, useReducer, useRef, useState } from "react";
import type { State } from "../realtime/realtime.js";
import { type Live, useFrames } from "../realtime/useWebSocket";
import { Call, type CallSocket, type Notice } from "./call.js";
import type { Person, Room, RoomFrame, RoomPath } from "./room";

/** The socket of a room as call.js hears it. */
class Line extends EventTarget implements CallSocket {
  state: State;
  send: CallSocket["send"];
  request: CallSocket["request"];

  constructor({ state, send, request }: Live<RoomPath, Room>) {
    super();
    this.state = state;
    this.send = send;
    this.request = request;
  }

  on(type: string, handler: (frame: never) => void) {
    const listener = (event: Event) => handler((event as CustomEvent<never>).detail);
    this.addEventListener(type, listener);
    return () => this.removeEventListener(type, listener);
  }

  hear(frame: RoomFrame) {
    if (frame.type === "connection_established") this.state = "connected"; // components hear of it a little later
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  }

  become(state: State, reason: string | undefined) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, reason } }));
  }
}

export interface RoomCall {
  call: Call | undefined;
  inside: boolean;
  notices: Record<string, string>; // by subject: what people should know
  tell(notice: Notice): void;
}

/** The call of a room, for as long as the component is there. */
export function useCall(path: RoomPath, live: Live<RoomPath, Room>, me: Person): RoomCall {
  const memory = `call ${path}`; // in sessionStorage, while we are in the call
  const [before] = useState(() => isReload() && sessionStorage.getItem(memory));
  const [call, setCall] = useState<Call>();
  const [notices, tell] = useReducer(note, {});
  const [, redraw] = useReducer((number: number) => number + 1, 0);
  const line = useRef<Line>(undefined);
  const { state, reason } = live;

  // biome-ignore lint/correctness/useExhaustiveDependencies: it begins with what is known now, and hears the rest
  useEffect(() => {
    const socket = new Line(live);
    const call = new Call(socket, me, live.value);
    line.current = socket;
    call.addEventListener("change", redraw);
    call.addEventListener("notice", (event) => tell((event as CustomEvent<Notice>).detail));
    // A reload comes back into the call. A second tab, which knows of it too, would take it away from the first.
    const off = socket.on("connection_established", () => {
      off();
      if (before) call.join(JSON.parse(before));
    });
    setCall(call);
    return () => {
      call.close();
      sessionStorage.removeItem(memory);
    };
  }, [path]);

  useFrames(path, (frame) => line.current?.hear(frame));
  useEffect(() => line.current?.become(state, reason), [state, reason]);

  const inside = call !== undefined && call.session !== null;
  const muted = call?.media.muted;
  const video = call?.media.camera !== null;
  useEffect(() => {
    if (inside) sessionStorage.setItem(memory, JSON.stringify({ muted, video }));
    else sessionStorage.removeItem(memory);
  }, [memory, inside, muted, video]);

  return { call, inside, notices, tell };
}

function note(notices: Record<string, string>, { subject, text }: Notice): Record<string, string> {
  const { [subject]: old, ...others } = notices;
  if (old === (text || undefined)) return notices;
  return text ? { ...notices, [subject]: text } : others;
}

function isReload(): boolean {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return navigation?.type === "reload";
}
