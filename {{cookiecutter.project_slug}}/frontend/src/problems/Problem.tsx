import { type KeyboardEvent, useRef, useState } from "react";
import { useData } from "../api";
import { useWebSocket } from "../realtime/useWebSocket";
import { Note, Pending, Status, Time, Title } from "../ui";
import { judge, type Submission, words } from "./judge";
import "./problems.css";

const MOST = 50; // submissions that the page shows

interface ProblemData {
  slug: string;
  title: string;
  url: string; // where it comes from, or nothing
  statement: string;
  difficulty: number; // 0: nobody has rated it
  time_limit_ms: number;
  memory_mib: number;
  example: { input: string; output: string } | null;
  code: string; // that the user has handed in last
  code_chars: number; // that a program may have
}

export default function ProblemPage({ params }: { params: Record<string, string> }) {
  const { data, error, reload } = useData<ProblemData>(`/api/my/problems/${params.slug}/`);
  if (!data) return <Pending error={error} retry={reload} />;
  return <Problem problem={data} />;
}

function Problem({ problem }: { problem: ProblemData }) {
  const { slug, title, url, statement, difficulty, time_limit_ms, memory_mib, example } = problem;
  const { value, state, reason, request } = useWebSocket("/ws/problems/", judge);
  const [busy, setBusy] = useState("");
  const [failure, setFailure] = useState("");
  const code = useRef<HTMLTextAreaElement>(null);
  const submissions = value.submissions.filter((each) => each.problem === slug).slice(0, MOST);

  async function ask(frame: Parameters<typeof request>[0]) {
    setBusy(frame.type);
    try {
      await request(frame);
      setFailure("");
    } catch (error) {
      setFailure((error as Error).message);
    }
    setBusy("");
  }

  return (
    <>
      <Title>{title}</Title>
      <div className="bar">
        <h1>{title}</h1>
        <Status state={state} reason={reason} />
      </div>
      <p className="muted">
        {difficulty > 0 && `Rated ${difficulty} · `}
        {time_limit_ms} ms · {memory_mib} MiB
        {url && (
          <>
            {" · "}
            <a href={url} rel="noreferrer">
              where it comes from
            </a>
          </>
        )}
      </p>

      <section className="statement">
        {paragraphs(statement).map(({ index, 0: text }) => (
          <p key={index}>{text}</p>
        ))}
      </section>
      {example && (
        <dl className="example">
          <div>
            <dt>Input</dt>
            <dd>
              <pre>{example.input}</pre>
            </dd>
          </div>
          <div>
            <dt>Output</dt>
            <dd>
              <pre>{example.output}</pre>
            </dd>
          </div>
        </dl>
      )}

      <form
        className="program"
        id="program"
        onSubmit={(event) => {
          event.preventDefault();
          ask({ type: "submit", problem: slug, code: code.current?.value ?? "" });
        }}
      >
        <Editor field={code} problem={problem} />
        <div className="line">
          <button disabled={busy === "submit"}>Submit</button>{" "}
          <button
            className="quiet"
            type="button"
            id="solve"
            disabled={busy === "solve"}
            onClick={() => ask({ type: "solve", problem: slug })}
          >
            Let a model solve it
          </button>
        </div>
      </form>
      <Note text={failure} />
      <p className="muted" id="told" role="status" aria-live="polite">
        {value.news.problem === slug && value.news.text}
      </p>

      <h2>Your submissions</h2>
      <ol className="submissions" id="submissions">
        {submissions.map((submission) => (
          <InList key={submission.submission_id} submission={submission} />
        ))}
      </ol>
      {!submissions.length && (
        <p className="card empty" id="empty">
          Nothing yet.
        </p>
      )}
    </>
  );
}

function Editor({
  field,
  problem: { code, code_chars },
}: {
  field: React.RefObject<HTMLTextAreaElement | null>;
  problem: ProblemData;
}) {
  const leaving = useRef(false); // Escape was pressed, so Tab leaves the field

  function type(event: KeyboardEvent<HTMLTextAreaElement>) {
    const { key, currentTarget: field } = event;
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) field.form?.requestSubmit();
    if (key === "Tab" && !event.shiftKey && !leaving.current) {
      event.preventDefault();
      field.setRangeText("    ", field.selectionStart, field.selectionEnd, "end");
    }
    leaving.current = key === "Escape";
  }

  return (
    <>
      <label htmlFor="code">
        Your program, in Python: it reads from standard input, and writes to standard output
      </label>
      <textarea
        id="code"
        ref={field}
        rows={14}
        maxLength={code_chars}
        required
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        aria-describedby="keys"
        defaultValue={code}
        onKeyDown={type}
      />
      <p className="muted" id="keys">
        Tab indents; Escape, then Tab, leaves the field. Ctrl+Enter submits.
      </p>
    </>
  );
}

function InList({ submission }: { submission: Submission }) {
  const { state, verdict, passed, total, detail, created_at } = submission;
  return (
    <li className="card submission">
      <p className="byline">
        <b className="verdict" data-verdict={verdict || state}>
          {words(verdict || state)}
        </b>{" "}
        <span className="tests">{total > 0 && `${passed} of ${total} tests`}</span> <Time iso={created_at} />
      </p>
      <progress max={total || 1} value={passed} aria-label="Tests passed" hidden={state === "judged"} />
      <pre className="detail">{detail}</pre>
    </li>
  );
}

function paragraphs(text: string) {
  return [...text.replaceAll("\r\n", "\n").matchAll(/[^\n]+(?:\n[^\n]+)*/g)];
}
