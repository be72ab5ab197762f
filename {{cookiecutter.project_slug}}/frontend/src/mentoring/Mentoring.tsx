import { Link, Redirect } from "wouter";
import { useData } from "../api";
import { useUser } from "../site";
import { Pending, Title } from "../ui";
import { OneMentor } from "./Mentor";

interface Loaded {
  is_mentor: boolean;
  is_admin: boolean;
  mentors: { mentor: { id: number; username: string }; students: number }[];
  may_mentor: boolean;
}

/** For a mentor the own page, for a student as well; for admins all mentors. */
export default function Mentoring() {
  const { id } = useUser();
  const { data, error, reload } = useData<Loaded>("/api/mentoring/");
  if (!data) return <Pending error={error} retry={reload} />;
  if (data.is_mentor) return <OneMentor id={id} />;
  if (!data.is_admin) return <Redirect to={`/mentoring/students/${id}/`} replace />;
  return (
    <>
      <Title>Mentoring</Title>
      <h1>Mentors</h1>
      <ul className="cards">
        {data.mentors.map(({ mentor, students }) => (
          <li className="card" key={mentor.id}>
            <h2>
              <Link href={`/mentoring/mentors/${mentor.id}/`}>{mentor.username}</Link>
            </h2>
            <p>
              {students} student{students !== 1 && "s"}
            </p>
          </li>
        ))}
        {!data.mentors.length && (
          <li className="card empty">No mentors yet. Put a user into the group Mentors.</li>
        )}
      </ul>
      {data.may_mentor && (
        <p>
          <a href="/admin/mentoring/mentorship/">Who mentors whom</a> is set in the admin.
        </p>
      )}
    </>
  );
}
