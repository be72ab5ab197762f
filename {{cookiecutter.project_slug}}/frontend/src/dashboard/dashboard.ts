import { words } from "../events/words";
import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

export const PATH = "/ws/dashboard/";
export const LONGEST = 5 * 60_000; // ms that the chart goes back at most
const MOST_CHANGES = 600; // of a figure
const MOST_EVENTS = 50;
const UNITS: Record<string, string> = { ms: " ms", mib: " MiB" }; // of figures whose name ends with it

export type Event = Extract<ServerFrame<typeof PATH>, { type: "dashboard_event" }>;

/** When a figure changed (ms since 1970), and to what; null from when a connection broke. */
export type Change = readonly [when: number, value: number | null];

export interface Dashboard {
  figures: Record<string, Change[]>; // oldest first
  events: Event[]; // newest first
  heard: number; // when something came last
}

export const dashboard: Channel<typeof PATH, Dashboard> = {
  initial: { figures: {}, events: [], heard: 0 },
  reduce: (value, frame) => reduce(value, frame, Date.now()),
  ids: { dashboard_event: "event_id" },
};

export function reduce(value: Dashboard, frame: ServerFrame<typeof PATH>, now: number): Dashboard {
  const next = { ...value, heard: now };
  switch (frame.type) {
    case "connection_established":
      return { ...next, figures: breakOff(value) };
    case "dashboard_snapshot":
      return { ...next, figures: change(value, frame.figures, now), events: add(value, frame.recent) };
    case "figures":
      return { ...next, figures: change(value, frame.figures, now) };
    case "dashboard_event":
      return { ...next, events: add(value, [frame]) };
    default:
      return next;
  }
}

function change({ figures }: Dashboard, values: Record<string, number>, now: number) {
  const changed = { ...figures };
  for (const [name, value] of Object.entries(values)) {
    const changes: Change[] = [...(figures[name] ?? []), [now, value]];
    // The last one before the left edge says how it was there.
    const first = changes.findLastIndex(([when]) => when < now - LONGEST);
    changed[name] = changes.slice(Math.max(first, changes.length - MOST_CHANGES, 0));
  }
  return changed;
}

function breakOff({ figures, heard }: Dashboard) {
  const broken: Record<string, Change[]> = {};
  for (const [name, changes] of Object.entries(figures)) {
    broken[name] = changes.at(-1)?.[1] === null ? changes : [...changes, [heard, null]];
  }
  return broken;
}

function add({ events }: Dashboard, found: Event[]) {
  const known = new Set(events.map(({ event_id }) => event_id));
  return [...events, ...found.filter(({ event_id }) => !known.has(event_id))]
    .sort((one, other) => other.event_id - one.event_id)
    .slice(0, MOST_EVENTS);
}

/** "loop_lag_ms" becomes "loop lag". */
export function label(name: string): string {
  return words(unit(name) ? name.replace(/_[^_]+$/, "") : name);
}

/** The value of a figure with its unit. */
export function text(name: string, value: number): string {
  return value.toLocaleString([], { maximumFractionDigits: 2 }) + unit(name);
}

function unit(name: string): string {
  return UNITS[name.split("_").at(-1) ?? ""] ?? "";
}
