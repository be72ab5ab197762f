import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

const PATH = "/ws/notifications/";
export type Notice = Extract<ServerFrame<typeof PATH>, { type: "notification" }>;

export interface Notifications {
  list: Notice[]; // newest first
  waiting: number; // unread ones by the server's count; it sends the newest of them only
}

/** What a page knows that has loaded the newest notifications. */
export function notificationsSince(list: Notice[]): Channel<typeof PATH, Notifications> {
  return { initial: { list, waiting: unread(list) }, reduce };
}

export function unread(list: Notice[]): number {
  return list.filter(({ read }) => !read).length;
}

export function reduce(value: Notifications, frame: ServerFrame<typeof PATH>): Notifications {
  switch (frame.type) {
    case "connection_established": {
      // Each connection begins with what is unread: the rest has been read, here or on another device.
      const list = value.list.map((each) => ({ ...each, read: true }));
      return { list, waiting: frame.unread };
    }
    case "notification": {
      const others = value.list.filter(({ notification_id }) => notification_id !== frame.notification_id);
      const list = [...others, frame].sort((one, other) => other.notification_id - one.notification_id);
      return { list, waiting: Math.max(value.waiting, unread(list)) };
    }
    case "notification_read": {
      const list = value.list.map((each) =>
        each.notification_id === frame.notification_id ? { ...each, read: true } : each,
      );
      return { list, waiting: Math.max(value.waiting - 1, 0) };
    }
    default:
      return value;
  }
}
