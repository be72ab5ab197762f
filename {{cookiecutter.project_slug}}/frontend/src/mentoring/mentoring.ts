import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

const MOST = 200; // events that a page keeps

export type MentorPath = `/ws/mentor/${number}/`;
export type StudentPath = `/ws/student/${number}/`;
type MentorFrame = ServerFrame<MentorPath>;
type StudentFrame = ServerFrame<StudentPath>;

export type MentorEvent = Extract<MentorFrame, { type: "mentor_event" }>;
export type StudentEvent = Extract<StudentFrame, { type: "student_event" }>;
export type StudentState = Extract<MentorFrame, { type: "mentor_snapshot" }>["students"][number];

export interface OfMentor {
  events: MentorEvent[]; // newest first
  students: StudentState[]; // those with the newest news first
}

export interface OfStudent {
  events: StudentEvent[]; // newest first
}

/** What a page of a mentor knows, which has loaded this; the events go on after the id `since`. */
export function ofMentor(loaded: OfMentor & { since: number }): Channel<MentorPath, OfMentor> {
  const { events, students, since } = loaded;
  return { initial: { events, students }, reduce: reduceMentor, since, ids: { mentor_event: "event_id" } };
}

/** What a page of a student knows, as `ofMentor`. */
export function ofStudent(loaded: OfStudent & { since: number }): Channel<StudentPath, OfStudent> {
  const { events, since } = loaded;
  return { initial: { events }, reduce: reduceStudent, since, ids: { student_event: "event_id" } };
}

export function reduceMentor(value: OfMentor, frame: MentorFrame): OfMentor {
  switch (frame.type) {
    case "mentor_event":
      return { ...value, events: add(value.events, frame) };
    case "mentor_snapshot":
      return { ...value, students: frame.students.map((state) => newer(find(value, state), state)) };
    case "student_news": {
      const known = find(value, frame);
      if (!known) return value;
      const others = value.students.filter((state) => state !== known);
      return { ...value, students: [newer(known, frame), ...others] };
    }
    default:
      return value;
  }
}

export function reduceStudent(value: OfStudent, frame: StudentFrame): OfStudent {
  return frame.type === "student_event" ? { events: add(value.events, frame) } : value;
}

function add<E>(events: E[], event: E): E[] {
  return [event, ...events].slice(0, MOST);
}

function find({ students }: OfMentor, { student }: Pick<StudentState, "student">) {
  return students.find((state) => state.student.id === student.id);
}

// Older news than what is shown may come in after it.
function newer(known: StudentState | undefined, state: StudentState): StudentState {
  return (known?.newest?.event_id ?? 0) > (state.newest?.event_id ?? 0) ? (known ?? state) : state;
}

/** For `useFrames`: after too long an absence the page begins with the newest. */
export function startAnew({ type }: { type: string }) {
  if (type === "gap") location.reload();
}
