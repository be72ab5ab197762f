import { useEffect, useRef, useState } from "react";
import { useData } from "../api";
import { ErrorList, Field, useForm } from "../forms";
import { useWebSocket } from "../realtime/useWebSocket";
import { useUser } from "../site";
import { Pending, Status, Title } from "../ui";
import { type Entry, leaderboard, PATH, type Standing } from "./leaderboard";
import { useMoves } from "./useMoves";
import "./leaderboard.css";

const CHANGES = 400; // ms for which a score shows that it has changed
const ASK_AGAIN = 10; // seconds between two questions for the own rank, while it is not in the table

interface Loaded {
  entries: Entry[];
  you: Standing;
  may_give: boolean;
}

export default function Leaderboard() {
  const { data, error, reload } = useData<Loaded>("/api/leaderboard/");
  if (!data) return <Pending error={error} retry={reload} />;
  return <Live loaded={data} />;
}

function Live({ loaded }: { loaded: Loaded }) {
  const me = useUser().id;
  const [channel] = useState(() => leaderboard(loaded.entries, loaded.you));
  const { value, state, reason, send, request } = useWebSocket(PATH, channel);
  const { entries, version, asks } = value;
  const list = useRef<HTMLOListElement>(null);
  const own = entries.find(({ user }) => user.id === me);
  const you = useStanding(own, value.you, version, () => request({ type: "my_rank" }));
  useMoves(list, entries);
  useEffect(() => {
    if (asks) send({ type: "snapshot" });
  }, [asks, send]);

  return (
    <>
      <Title>Leaderboard</Title>
      <div className="bar">
        <h1>Leaderboard</h1>
        <Status state={state} reason={reason} />
      </div>
      <p className="standing card" id="standing">
        <span>
          Your rank <b id="rank">{you.rank ?? "–"}</b>
        </span>
        <span>
          Your points <b id="score">{you.score === null ? "–" : points(you.score)}</b>
        </span>
      </p>
      <ol className="entries" id="entries" aria-label="The top 100" ref={list}>
        {entries.map(({ rank, user, score }) => (
          <li
            className={`entry ${user.id === me ? "own" : ""}`}
            key={user.id}
            data-id={user.id}
            data-rank={rank}
          >
            <span className="rank">{rank}</span>
            <span className="name">{user.username}</span>
            <Score score={score} />
          </li>
        ))}
      </ol>
      {!entries.length && (
        <p className="card empty" id="empty">
          Nobody has points yet.
        </p>
      )}
      {loaded.may_give && <GivePoints />}
    </>
  );
}

function points(score: number): string {
  return score.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });
}

/** A score, which shows for a moment whether it went up or down. */
function Score({ score }: { score: number }) {
  const [shown, setShown] = useState({ score, change: "" });
  if (shown.score !== score) setShown({ score, change: score > shown.score ? "up" : "down" });
  useEffect(() => {
    if (!shown.change) return;
    const timer = setTimeout(() => setShown({ ...shown, change: "" }), CHANGES);
    return () => clearTimeout(timer);
  }, [shown]);
  return <span className={`score ${shown.change}`}>{points(shown.score)}</span>;
}

/** The own place. Who is in the table is read there; others ask, and not all of them whenever something changes. */
function useStanding(
  own: Entry | undefined,
  known: Standing, // as the last snapshot has it
  version: number | undefined,
  ask: () => Promise<Standing>,
): Standing {
  const [answer, setAnswer] = useState({ known, standing: known });
  const asked = useRef(0);
  const outside = !own && version !== undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a snapshot says it, too
  useEffect(() => {
    asked.current = Date.now();
  }, [known]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the table may have changed it
  useEffect(() => {
    if (!outside) return;
    const wait = asked.current + ASK_AGAIN * 1000 * (1 + Math.random()) - Date.now();
    const timer = setTimeout(
      () => {
        asked.current = Date.now();
        ask().then(
          (standing) => setAnswer({ known, standing }),
          () => {}, // there is no connection; the next snapshot says it
        );
      },
      Math.max(0, wait),
    );
    return () => clearTimeout(timer);
  }, [version, outside]);

  return own ?? (answer.known === known ? answer.standing : known);
}

/** The form of those who may change scores. */
function GivePoints() {
  const { errors, busy, onSubmit } = useForm("/api/leaderboard/", (_, form) => form.reset());
  return (
    <>
      <form className="points" onSubmit={onSubmit}>
        <Field label="User" name="user" errors={errors} required />
        <Field
          label="Points"
          name="points"
          errors={errors}
          type="number"
          step="any"
          defaultValue={1}
          required
        />
        <button className="quiet" disabled={busy}>
          Give points
        </button>
      </form>
      <ErrorList list={errors.__all__} />
    </>
  );
}
