import { type FormEvent, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { useData } from "../api";
import { useWebSocket } from "../realtime/useWebSocket";
import { useUser } from "../site";
import { Note, Pending, Status, Title } from "../ui";
import { judge } from "./judge";
import "./problems.css";

interface Listed {
  slug: string;
  title: string;
  difficulty: number; // 0: nobody has rated it
  solved: boolean;
  tried: boolean;
}

const SAID: Record<string, string> = { queued: "It is to be read.", running: "It is being read." };

export default function Problems() {
  const { data, error, reload } = useData<Listed[]>("/api/my/problems/");
  const { state, reason } = useWebSocket("/ws/problems/", judge);
  const { is_staff } = useUser();
  if (!data) return <Pending error={error} retry={reload} />;
  return (
    <>
      <Title>Problems</Title>
      <div className="bar">
        <h1>Problems</h1>
        <Status state={state} reason={reason} />
      </div>
      <ul className="cards">
        {data.map(({ slug, title, difficulty, solved, tried }) => (
          <li className="card" key={slug}>
            <h2>
              <Link href={`/problems/${slug}/`}>{title}</Link>
            </h2>
            <p>
              {difficulty ? `Rated ${difficulty}` : "Not rated"}
              {solved ? (
                <>
                  {" · "}
                  <b className="verdict" data-verdict="accepted">
                    solved
                  </b>
                </>
              ) : (
                tried && " · tried"
              )}
            </p>
          </li>
        ))}
        {!data.length && <li className="card empty">No problems yet.</li>}
      </ul>
      {is_staff && <Extract />}
    </>
  );
}

/** Has a problem read from a page, and leads to it. */
function Extract() {
  const { value, request } = useWebSocket("/ws/problems/", judge);
  const [, navigate] = useLocation();
  const [asked, setAsked] = useState<number>(); // the job that is shown
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const begun = value.jobs.find(({ kind, state }) => kind === "extract" && state !== "done");
  if (asked === undefined && begun) setAsked(begun.job_id);
  const job = value.jobs.find(({ job_id }) => job_id === asked);

  const made = job?.state === "done" && !job.error ? job.problem : null;
  useEffect(() => {
    if (made) navigate(`/problems/${made}/`);
  }, [made, navigate]);

  async function extract(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [url, difficulty_rating] = [String(form.get("url")), Number(form.get("difficulty"))];
    setBusy(true);
    try {
      const { job_id } = await request({ type: "extract", url, difficulty_rating });
      setAsked(job_id);
      setFailure("");
    } catch (error) {
      setFailure((error as Error).message);
    }
    setBusy(false);
  }

  return (
    <>
      <form className="card extract" id="extract" onSubmit={extract}>
        <h2>Read one from a page</h2>
        <div className="line">
          <div>
            <label htmlFor="url">Address</label>
            <input id="url" name="url" type="url" required maxLength={500} placeholder="https://" />
          </div>
          <div>
            <label htmlFor="difficulty">Rating</label>
            <input id="difficulty" name="difficulty" type="number" min="0" max="10000" defaultValue="0" />
          </div>
          <button disabled={busy}>Read</button>
        </div>
        <p id="told" role="status">
          {job && (job.error ? job.detail : SAID[job.state])}
        </p>
      </form>
      <Note text={failure} />
    </>
  );
}
