import { useState } from "react";
import { Link } from "wouter";
import { useData } from "../api";
import { Data, Kind } from "../events/Data";
import { Events } from "../events/Events";
import { useFrames, useWebSocket } from "../realtime/useWebSocket";
import { useUser } from "../site";
import { Pending, Status, Time, Title } from "../ui";
import { type OfMentor, ofMentor, type StudentState, startAnew } from "./mentoring";
import "./mentoring.css";

interface Loaded extends OfMentor {
  mentor: { id: number; username: string };
  since: number;
}

export default function MentorPage({ params }: { params: Record<string, string> }) {
  return <OneMentor id={Number(params.id)} />;
}

/** A mentor's students, each with the newest of them, and what the mentor was told. */
export function OneMentor({ id }: { id: number }) {
  const { data, error, reload } = useData<Loaded>(`/api/mentoring/mentors/${id}/`);
  if (!data) return <Pending error={error} retry={reload} />;
  return <Live loaded={data} />;
}

function Live({ loaded }: { loaded: Loaded }) {
  const { mentor, since } = loaded;
  const isOwn = useUser().id === mentor.id;
  const [channel] = useState(() => ofMentor(loaded));
  const { value, state, reason } = useWebSocket(`/ws/mentor/${mentor.id}/`, channel);
  useFrames(`/ws/mentor/${mentor.id}/`, startAnew);
  return (
    <>
      <Title>Mentoring</Title>
      <div className="bar">
        <h1>{isOwn ? "Mentoring" : `${mentor.username} as a mentor`}</h1>
        <Status state={state} reason={reason} />
      </div>
      <section className="mentoring">
        <h2>
          Students{" "}
          <span className="count" id="count">
            {value.students.length}
          </span>
        </h2>
        <ul className="cards" id="students">
          {value.students.map((state) => (
            <Student key={state.student.id} {...state} />
          ))}
        </ul>
        {!value.students.length && (
          <p className="card empty" id="nobody">
            No students yet.
          </p>
        )}
      </section>
      <section className="mentoring">
        <h2>For {isOwn ? "you" : mentor.username}</h2>
        <Events
          events={value.events}
          since={since}
          empty="Nothing yet. What students ask appears here by itself."
        />
      </section>
    </>
  );
}

function Student({ student, newest }: StudentState) {
  return (
    <li className="card student">
      <h2>
        <Link href={`/mentoring/students/${student.id}/`}>{student.username}</Link>
      </h2>
      <p className="byline">
        {newest ? (
          <>
            <Kind kind={newest.kind} /> <Time iso={newest.created_at} />
          </>
        ) : (
          <span className="kind">Nothing yet</span>
        )}
      </p>
      {newest && <Data data={newest.data} />}
    </li>
  );
}
