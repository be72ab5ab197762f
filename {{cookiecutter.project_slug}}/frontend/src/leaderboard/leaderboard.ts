import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

export const PATH = "/ws/leaderboard/";
const PATIENCE = 50; // changes that come before a snapshot is asked for again

type Frame<T> = Extract<ServerFrame<typeof PATH>, { type: T }>;
type Changed = Frame<"leaderboard_changed">;
export type Entry = Changed["changed"][number];
export type Standing = Frame<"leaderboard_snapshot">["you"];

export interface Leaderboard {
  entries: Entry[]; // by rank
  you: Standing; // as the last snapshot has it
  version: number | undefined; // undefined until a snapshot has come, and while one is awaited
  early: Changed[]; // changes that came meanwhile: they may be newer than the snapshot
  asks: number; // how often a snapshot was needed that does not come by itself
}

/** What a page knows that has loaded the table. */
export function leaderboard(entries: Entry[], you: Standing): Channel<typeof PATH, Leaderboard> {
  return { initial: { entries, you, version: undefined, early: [], asks: 0 }, reduce };
}

export function reduce(value: Leaderboard, frame: ServerFrame<typeof PATH>): Leaderboard {
  switch (frame.type) {
    case "connection_established": // a snapshot follows
      return { ...value, version: undefined, early: [] };
    case "leaderboard_snapshot": {
      const { version, entries, you } = frame;
      return value.early.reduce(change, { ...value, version, entries, you, early: [] });
    }
    case "leaderboard_changed":
      return change(value, frame);
    default:
      return value;
  }
}

function change(value: Leaderboard, frame: Changed): Leaderboard {
  const { version, early, entries } = value;
  if (version === undefined) {
    return early.length + 1 < PATIENCE ? { ...value, early: [...early, frame] } : ask(value);
  }
  if (frame.version <= version) return value;
  if (frame.version > version + 1) return ask(value);
  const gone = new Set([...frame.removed, ...frame.changed.map(({ user }) => user.id)]);
  const rest = entries.filter(({ user }) => !gone.has(user.id));
  return { ...value, version: frame.version, entries: [...rest, ...frame.changed].sort(byRank) };
}

function ask(value: Leaderboard): Leaderboard {
  return { ...value, version: undefined, early: [], asks: value.asks + 1 };
}

function byRank(one: Entry, other: Entry): number {
  return one.rank - other.rank || (one.user.id ?? 0) - (other.user.id ?? 0);
}
