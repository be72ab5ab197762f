import { expect, test } from "vitest";
import { type Dashboard, dashboard, type Event, LONGEST, label, reduce, text } from "./dashboard";

type Frame = Parameters<typeof reduce>[1];

const HELLO: Frame = { type: "connection_established", user: { id: 1, username: "admin" }, heartbeat: 30 };

function event(event_id: number): Event {
  return { type: "dashboard_event", event_id, kind: "news", data: {}, created_at: "2026-11-27T10:00:00Z" };
}

/** What is known after these frames, one a second. */
function after(...frames: Frame[]): Dashboard {
  return frames.reduce((value, frame, index) => reduce(value, frame, index * 1000), dashboard.initial);
}

function figures(values: Record<string, number>): Frame {
  return { type: "figures", figures: values };
}

test("a snapshot is what it begins with, then each change", () => {
  const snapshot: Frame = { type: "dashboard_snapshot", figures: { sockets: 1, users: 2 }, recent: [] };
  const value = after(HELLO, snapshot, figures({ sockets: 3 }));
  expect(value.figures).toEqual({
    sockets: [
      [1000, 1],
      [2000, 3],
    ],
    users: [[1000, 2]],
  });
});

test("a break is as long as nothing was heard", () => {
  const value = after(
    HELLO,
    figures({ sockets: 1 }),
    { type: "pong" },
    HELLO,
    HELLO,
    figures({ sockets: 2 }),
  );
  expect(value.figures.sockets).toEqual([
    [1000, 1],
    [2000, null],
    [5000, 2],
  ]);
});

test("events come newest first, and each of them once", () => {
  const recent: Frame = { type: "dashboard_snapshot", figures: {}, recent: [event(1), event(2)] };
  const value = after(HELLO, recent, event(4), event(3), HELLO, recent);
  expect(value.events.map(({ event_id }) => event_id)).toEqual([4, 3, 2, 1]);
});

test("in a week it does not grow", () => {
  let value = dashboard.initial;
  const hour = 3600;
  for (let second = 0; second < hour; second++) {
    value = reduce(value, figures({ sockets: second }), second * 1000);
    value = reduce(value, event(second), second * 1000);
  }
  const changes = value.figures.sockets ?? [];
  expect(changes[0]).toEqual([(hour - 2) * 1000 - LONGEST, hour - 2 - LONGEST / 1000]);
  expect(changes.length).toBe(LONGEST / 1000 + 2);
  expect(value.events.length).toBe(50);
  for (let times = 0; times < 10_000; times++) value = reduce(value, figures({ sockets: times }), 0);
  expect(value.figures.sockets?.length).toBe(600);
});

test("figures are shown in words, with their units", () => {
  expect(["users_online", "loop_lag_ms", "memory_mib"].map(label)).toEqual([
    "users online",
    "loop lag",
    "memory",
  ]);
  expect([text("loop_lag_ms", 3), text("sockets", 7)]).toEqual(["3 ms", "7"]);
});
