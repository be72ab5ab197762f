import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

export const PATH = "/ws/notifications/";
const MOST = 200; // notifications that a page keeps

export type Notice = Extract<ServerFrame<typeof PATH>, { type: "notification" }>;

export interface Notifications {
  list: Notice[]; // newest first: what was unread when the connection opened, and what came since
  unread: number; // by the server's count, since it sends the newest ones only
  newest: number; // the last id that is counted
  known: boolean; // whether a connection has said what is unread
}

/** What all components know that use notifications; they share one socket. */
export const notifications: Channel<typeof PATH, Notifications> = {
  initial: { list: [], unread: 0, newest: 0, known: false },
  reduce,
};

export function reduce(value: Notifications, frame: ServerFrame<typeof PATH>): Notifications {
  const { list, unread, newest } = value;
  switch (frame.type) {
    case "connection_established":
      // What is unread follows: the rest has been read, here or on another device.
      return { list: list.map(asRead), unread: frame.unread, newest: frame.newest, known: true };
    case "notification": {
      const id = frame.notification_id;
      const isCounted = id <= newest || frame.read;
      return {
        ...value,
        list: newestFirst([frame, ...list.filter((other) => other.notification_id !== id)]),
        unread: isCounted ? unread : unread + 1,
        newest: Math.max(newest, id),
      };
    }
    case "notification_read": {
      const id = frame.notification_id;
      return {
        ...value,
        list: list.map((notice) => (notice.notification_id === id ? asRead(notice) : notice)),
        unread: Math.max(unread - 1, 0),
      };
    }
    default:
      return value;
  }
}

/** The list of a page that has loaded the newest notifications, which the socket goes on from. */
export function withLoaded({ list, known }: Notifications, loaded: Notice[]): Notice[] {
  const live = new Set(list.map(({ notification_id }) => notification_id));
  const others = loaded.filter(({ notification_id }) => !live.has(notification_id));
  return newestFirst([...list, ...(known ? others.map(asRead) : others)]);
}

function newestFirst(list: Notice[]): Notice[] {
  return list.sort((one, other) => other.notification_id - one.notification_id).slice(0, MOST);
}

function asRead(notice: Notice): Notice {
  return notice.read ? notice : { ...notice, read: true };
}
