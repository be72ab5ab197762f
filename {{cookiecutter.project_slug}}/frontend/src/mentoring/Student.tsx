import { type FormEvent, useState } from "react";
import { api, useData } from "../api";
import { Events } from "../events/Events";
import { useFrames, useWebSocket } from "../realtime/useWebSocket";
import { useUser } from "../site";
import { Note, Pending, Status, Title, useAttempt } from "../ui";
import { type OfStudent, ofStudent, startAnew } from "./mentoring";
import "./mentoring.css";

interface Person {
  id: number;
  username: string;
}

interface Loaded extends OfStudent {
  student: Person;
  mentors: Person[];
  since: number;
}

/** What a student was told, for the student, the mentors and admins; they write to each other here. */
export default function StudentPage({ params }: { params: Record<string, string> }) {
  const { data, error, reload } = useData<Loaded>(`/api/mentoring/students/${params.id}/`);
  if (!data) return <Pending error={error} retry={reload} />;
  return <Live loaded={data} />;
}

function Live({ loaded }: { loaded: Loaded }) {
  const { student, mentors, since } = loaded;
  const isOwn = useUser().id === student.id;
  const [channel] = useState(() => ofStudent(loaded));
  const { value, state, reason } = useWebSocket(`/ws/student/${student.id}/`, channel);
  useFrames(`/ws/student/${student.id}/`, startAnew);
  return (
    <>
      <Title>{student.username}</Title>
      <div className="bar">
        <h1>{isOwn ? "Your mentoring" : student.username}</h1>
        <Status state={state} reason={reason} />
      </div>
      <p className="muted">{mentors.length ? `Mentored by ${names(mentors)}` : "No mentor yet."}</p>
      {(mentors.length > 0 || !isOwn) && (
        <Write to={student} label={isOwn ? "Ask your mentors" : `Tell ${student.username}`} />
      )}
      <Events
        events={value.events}
        since={since}
        empty="Nothing yet. Grades and feedback appear here by themselves."
      />
    </>
  );
}

/** "one", "one and two", "one, two and three" */
function names(people: Person[]): string {
  const all = people.map(({ username }) => username);
  const last = all.pop();
  return all.length ? `${all.join(", ")} and ${last}` : `${last}`;
}

function Write({ to, label }: { to: Person; label: string }) {
  const { failure, attempt } = useAttempt();
  const [isSending, setSending] = useState(false);

  async function write(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const message = new FormData(form).get("message");
    setSending(true);
    const done = await attempt(
      () => api(`/api/mentoring/students/${to.id}/write/`, { message }),
      "Not sent.",
    );
    if (done) form.reset();
    setSending(false);
  }

  return (
    <>
      <form className="card write" id="write" onSubmit={write}>
        <label htmlFor="message">{label}</label>
        <div className="line">
          <input id="message" name="message" maxLength={500} required autoComplete="off" />{" "}
          <button disabled={isSending}>Send</button>
        </div>
      </form>
      <Note text={failure} />
    </>
  );
}
