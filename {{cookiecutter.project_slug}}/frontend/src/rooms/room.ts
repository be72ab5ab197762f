import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

export type RoomPath = `/ws/rooms/${string}/`;
export type RoomFrame = ServerFrame<RoomPath>;
export type ChatMessage = Extract<RoomFrame, { type: "chat_message" }>;
export type Person = ChatMessage["sender"];

/** A room as Django tells of it. */
export interface RoomInfo {
  slug: string;
  name: string;
  is_open: boolean;
  is_host: boolean;
  starts_at: string | null;
  ends_at: string | null;
  ended: boolean;
}

/** What the page of a room begins with; no messages for who has to stay outside. */
export interface RoomStart extends RoomInfo {
  closed_because: string;
  must_wait: boolean;
  messages: ChatMessage[];
}

/** What a page knows of a room. */
export interface Room {
  messages: ChatMessage[]; // in the order of their ids
  gaps: number[]; // ids behind which messages are missing
  present: Person[];
  call: Person[]; // those of them who are in the call
  host: boolean; // whether we are
  guests: Person[]; // who wait for the host
}

const KEPT = 1000; // messages that a page holds; older ones go

/** What a page knows that has loaded these messages, the newest last. */
export function roomSince(messages: ChatMessage[]): Channel<RoomPath, Room> {
  return {
    initial: { messages, gaps: [], present: [], call: [], host: false, guests: [] },
    reduce,
    since: messages.at(-1)?.message_id ?? 0,
    ids: { chat_message: "message_id" },
  };
}

export function reduce(room: Room, frame: RoomFrame): Room {
  switch (frame.type) {
    case "connection_established":
      // Who waits for the host is told next.
      return { ...room, present: frame.present, call: frame.call, host: frame.host, guests: [] };
    case "chat_message":
      return { ...room, messages: insert(room.messages, frame) };
    case "gap":
      return { ...room, gaps: [...room.gaps, frame.resumed] };
    case "presence":
      return { ...room, present: change(room.present, frame) };
    case "call_presence":
      return { ...room, call: change(room.call, frame) };
    case "call_ended":
      return { ...room, call: [] };
    case "waiting":
      return { ...room, guests: frame.users };
    default:
      return room;
  }
}

function insert(messages: ChatMessage[], message: ChatMessage): ChatMessage[] {
  const before = messages.filter(({ message_id }) => message_id < message.message_id);
  const after = messages.filter(({ message_id }) => message_id > message.message_id);
  return [...before, message, ...after].slice(-KEPT);
}

function change(people: Person[], { event, user }: { event: "join" | "leave"; user: Person }): Person[] {
  const others = people.filter(({ id }) => id !== user.id);
  return event === "join" ? [...others, user] : others;
}

/** Say who does something: "Ada and Bob are typing", or nothing if it is nobody. */
export function say(people: Person[], doing: string): string {
  if (!people.length) return "";
  const names = new Intl.ListFormat("en").format(people.map(({ username }) => username));
  return `${names} ${people.length === 1 ? "is" : "are"} ${doing}`;
}
