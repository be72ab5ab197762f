import { expect, test } from "vitest";
import {
  type OfMentor,
  ofMentor,
  ofStudent,
  reduceMentor,
  reduceStudent,
  type StudentState,
} from "./mentoring";

const created_at = "2026-11-27T10:00:00Z";

function event<T extends string>(type: T, event_id: number) {
  return { type, event_id, kind: "news", data: {}, created_at };
}

function state(id: number, event_id?: number): StudentState {
  const student = { id, username: `student${id}` };
  return { student, newest: event_id ? { event_id, kind: "news", data: {}, created_at } : null };
}

function news(id: number, event_id: number) {
  const { student } = state(id);
  return { type: "student_news", student, newest: { event_id, kind: "news", data: {}, created_at } } as const;
}

function shown({ students }: OfMentor) {
  return students.map(({ student, newest }) => [student.id, newest?.event_id]);
}

const empty = ofMentor({ events: [], students: [], since: 0 }).initial;

test("a page goes on after what it has loaded", () => {
  const channel = ofStudent({ events: [event("student_event", 7)], since: 7 });
  expect([channel.since, channel.ids]).toEqual([7, { student_event: "event_id" }]);
  const value = channel.reduce(channel.initial, event("student_event", 9));
  expect(value.events.map(({ event_id }) => event_id)).toEqual([9, 7]);
});

test("the newest events are kept", () => {
  let value = { events: [event("student_event", 1)] };
  for (let id = 2; id < 1000; id++) value = reduceStudent(value, event("student_event", id));
  expect([value.events.length, value.events[0]?.event_id]).toEqual([200, 999]);
});

test("who has news comes first", () => {
  const value = reduceMentor({ ...empty, students: [state(1, 5), state(2, 4), state(3)] }, news(3, 6));
  expect(shown(value)).toEqual([
    [3, 6],
    [1, 5],
    [2, 4],
  ]);
});

test("older news do not replace newer ones", () => {
  const value = reduceMentor({ ...empty, students: [state(1, 9)] }, news(1, 8));
  expect(shown(value)).toEqual([[1, 9]]);
  const snapshot = { type: "mentor_snapshot", students: [state(1, 7), state(2, 6)] } as const;
  expect(shown(reduceMentor(value, { ...snapshot, students: [...snapshot.students] }))).toEqual([
    [1, 9],
    [2, 6],
  ]);
});

test("a snapshot says whose mentor one is", () => {
  const before = { ...empty, students: [state(1, 5), state(2)] };
  expect(shown(reduceMentor(before, { type: "mentor_snapshot", students: [state(2, 6)] }))).toEqual([[2, 6]]);
});

test("news of others are not shown, and other frames change nothing", () => {
  expect(reduceMentor(empty, news(1, 1))).toBe(empty);
  expect(reduceMentor(empty, { type: "pong" })).toBe(empty);
});
