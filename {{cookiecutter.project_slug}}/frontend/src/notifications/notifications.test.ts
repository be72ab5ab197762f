import { expect, test } from "vitest";
import { type Notice, type Notifications, notifications, reduce, withLoaded } from "./notifications";

type Frame = Parameters<typeof reduce>[1];

const created_at = "2026-11-27T10:00:00Z";

function notice(notification_id: number, read = false): Notice {
  return { type: "notification", notification_id, kind: "news", data: {}, created_at, read };
}

function hello(unread: number, newest: number): Frame {
  const user = { id: 1, username: "student" };
  return { type: "connection_established", user, heartbeat: 30, unread, newest };
}

function after(...frames: Frame[]): Notifications {
  return frames.reduce(reduce, notifications.initial);
}

function ids(list: Notice[]) {
  return list.map(({ notification_id, read }) => (read ? -notification_id : notification_id));
}

test("what is unread follows the greeting, and is counted once", () => {
  const value = after(hello(2, 5), notice(3), notice(5));
  expect([ids(value.list), value.unread]).toEqual([[5, 3], 2]);
});

test("a new one comes first and counts", () => {
  const value = after(hello(1, 5), notice(5), notice(6));
  expect([ids(value.list), value.unread]).toEqual([[6, 5], 2]);
});

test("one that comes twice is shown and counted once", () => {
  const value = after(hello(0, 5), notice(6), notice(6));
  expect([ids(value.list), value.unread]).toEqual([[6], 1]);
});

test("one that is read elsewhere is read here, listed or not", () => {
  const read: Frame = { type: "notification_read", notification_id: 5 };
  const value = after(hello(3, 5), notice(5), read, { ...read, notification_id: 1 });
  expect([ids(value.list), value.unread]).toEqual([[-5], 1]);
});

test("after a break only what the server says is unread", () => {
  const value = after(hello(2, 5), notice(4), notice(5), hello(2, 6), notice(5), notice(6));
  expect([ids(value.list), value.unread]).toEqual([[6, 5, -4], 2]);
});

test("the newest are kept, and all are counted", () => {
  const frames = Array.from({ length: 1500 }, (_, index) => notice(index + 1));
  const value = after(hello(0, 0), ...frames);
  expect([value.list.length, value.list[0]?.notification_id, value.unread]).toEqual([200, 1500, 1500]);
});

test("what was loaded goes on where the socket ends, and is read unless the socket says otherwise", () => {
  const loaded = [notice(5), notice(4), notice(3, true)];
  expect(ids(withLoaded(notifications.initial, loaded))).toEqual([5, 4, -3]);
  expect(ids(withLoaded(after(hello(1, 5), notice(5), notice(6)), loaded))).toEqual([6, 5, -4, -3]);
});

test("other frames change nothing", () => {
  const value = after(hello(1, 1));
  expect(reduce(value, { type: "pong" })).toBe(value);
});
