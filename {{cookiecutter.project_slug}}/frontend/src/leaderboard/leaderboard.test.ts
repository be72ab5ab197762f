import { expect, test } from "vitest";
import { type Entry, type Leaderboard, leaderboard, reduce } from "./leaderboard";

type Frame = Parameters<typeof reduce>[1];

const NOBODY = { rank: null, score: null };
const HELLO: Frame = { type: "connection_established", user: { id: 1, username: "student" }, heartbeat: 30 };

function entry(rank: number, id: number, score: number): Entry {
  return { rank, user: { id, username: `user${id}` }, score };
}

function snapshot(version: number, ...entries: Entry[]): Frame {
  return { type: "leaderboard_snapshot", version, entries, you: NOBODY };
}

function changed(version: number, changed: Entry[], removed: number[] = []): Frame {
  return { type: "leaderboard_changed", version, changed, removed };
}

function after(...frames: Frame[]): Leaderboard {
  return frames.reduce(reduce, leaderboard([], NOBODY).initial);
}

function table({ entries }: Leaderboard) {
  return entries.map(({ user, score }) => [user.id, score]);
}

test("a snapshot, then what changes in it", () => {
  const value = after(
    HELLO,
    snapshot(7, entry(1, 1, 30), entry(2, 2, 20), entry(3, 3, 10)),
    changed(8, [entry(1, 2, 40), entry(2, 1, 30)], [3]),
  );
  expect([table(value), value.version]).toEqual([
    [
      [2, 40],
      [1, 30],
    ],
    8,
  ]);
});

test("who is equal stands in the order of their ids", () => {
  expect(table(after(HELLO, snapshot(7), changed(8, [entry(1, 10, 5), entry(1, 9, 5)])))).toEqual([
    [9, 5],
    [10, 5],
  ]);
});

test("what is in the snapshot already is ignored", () => {
  const known = after(HELLO, snapshot(7, entry(1, 1, 30)));
  expect(reduce(known, changed(7, [entry(1, 1, 20)]))).toBe(known);
});

test("a change that came before the snapshot is kept", () => {
  const value = after(
    HELLO,
    changed(7, [entry(1, 1, 1)]),
    changed(8, [entry(1, 1, 2)]),
    snapshot(7, entry(1, 1, 1)),
  );
  expect([table(value), value.version, value.early, value.asks]).toEqual([[[1, 2]], 8, [], 0]);
});

test("who lacks a version asks once, and shows the old table until the answer comes", () => {
  const lacking = after(HELLO, snapshot(7, entry(1, 1, 1)), changed(9, [entry(1, 1, 3)]), changed(10, []));
  expect([table(lacking), lacking.version, lacking.asks]).toEqual([[[1, 1]], undefined, 1]);
  const value = reduce(lacking, snapshot(9, entry(1, 1, 3)));
  expect([table(value), value.version, value.asks]).toEqual([[[1, 3]], 10, 1]);
});

test("who waits for long asks again, and does not keep more and more", () => {
  const changes = Array.from({ length: 49 }, (_, index) => changed(index + 1, []));
  const waiting = after(HELLO, ...changes);
  expect([waiting.early.length, waiting.asks]).toEqual([49, 0]);
  const asking = reduce(waiting, changed(50, []));
  expect([asking.early.length, asking.asks]).toEqual([0, 1]);
});

test("each connection begins with a snapshot", () => {
  const value = after(HELLO, snapshot(7, entry(1, 1, 1)), HELLO, changed(3, []), snapshot(3, entry(1, 2, 2)));
  expect([table(value), value.version]).toEqual([[[2, 2]], 3]);
});
