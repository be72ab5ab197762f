import { useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { useData } from "../api";
import { useFrames, useWebSocket } from "../realtime/useWebSocket";
import { Pending, Status, Title } from "../ui";
import { useEnd } from "../useEnd";
import { arena, type Resume, resume, streaming } from "./arena";
import { Composer } from "./Composer";
import { NewChat } from "./NewChat";
import type { Session, SessionInList } from "./Sessions";
import { type Actions, TurnInLog } from "./TurnInLog";
import "./assistant.css";
import "./markdown.css";

const EXAMPLES = [
  "Explain WebSockets to a cook, in three steps",
  "Compare lists and tuples in a table",
  "Write a Python function that tells leap years",
];

export default function ArenaPage({ params }: { params: Record<string, string> }) {
  const { data, error, reload } = useData<Session>(`/api/chats/${params.session}/`);
  if (!data) return <Pending error={error} retry={reload} />;
  return <Arena session={data} />;
}

function Arena({ session }: { session: Session }) {
  const path = `/ws/chat/session/${session.id}/` as const;
  const { value, state, reason, send, request } = useWebSocket(path, arena);
  const { log, content, here, go } = useEnd<HTMLDivElement, HTMLOListElement>();
  const draftKey = `assistant.draft.${session.id}`;
  const [draft, setDraft] = useState(() => sessionStorage.getItem(draftKey) ?? "");
  const [failure, setFailure] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const isConnected = state === "connected";
  const title = session.title || value.title || "New chat";
  const open = streaming(value);

  const actions: Actions = useMemo(
    () => ({
      act: (type, { id }) => request({ type, message_id: id }),
      resume: (answer) => void send(resume(answer)),
    }),
    [request, send],
  );

  const asked = useRef(new WeakSet<Resume>());
  useEffect(() => {
    if (!isConnected) return;
    for (const each of value.missing) {
      if (!asked.current.has(each) && send(each)) asked.current.add(each);
    }
  }, [value.missing, isConnected, send]);

  // If the history has become shorter, a backup was restored, and what stands here may not exist any more.
  useFrames(path, (frame) => {
    if (frame.type === "gap" && frame.resumed < frame.asked) location.reload();
  });

  return (
    <section className="arena" data-session={session.id}>
      <Title>{title}</Title>
      <div className="bar">
        <h1 id="title">{title}</h1>
        <Link className="all" href="/assistant/">
          All chats
        </Link>
        <NewChat quiet fail={setFailure} />
        <Status state={state} reason={reason} />
      </div>

      <Chats current={session.id} title={title} />

      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <section className="log" id="log" aria-label="Conversation" tabIndex={0} ref={log}>
        <div className="welcome">
          <h2>What would you like to know?</h2>
          <ul className="examples">
            {EXAMPLES.map((example) => (
              <li key={example}>
                <button
                  type="button"
                  className="quiet"
                  onClick={() => {
                    setDraft(example);
                    field.current?.focus();
                  }}
                >
                  {example}
                </button>
              </li>
            ))}
          </ul>
        </div>
        <p className="muted" id="gap" hidden={!value.isCut}>
          Some earlier questions are not shown. <a href={location.pathname}>Show the newest</a>
        </p>
        <ol id="turns" ref={content}>
          {value.turns.map((turn) => (
            <TurnInLog key={turn.id} turn={turn} actions={actions} isConnected={isConnected} />
          ))}
        </ol>
      </section>
      {/* Answers are not read word for word as they grow. */}
      <div className="aloud" id="aloud" role="log" aria-label="Finished answers">
        {value.spoken.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>

      <Composer
        hello={value.hello}
        isConnected={isConnected}
        draftKey={draftKey}
        {...{ draft, setDraft, failure, setFailure, field }}
        send={(prompt) => {
          go();
          return request({ type: "chat_message", ...prompt });
        }}
      >
        <button type="button" className="newer" id="newer" hidden={here} onClick={go}>
          To the newest ↓
        </button>
        <button
          type="button"
          className="quiet"
          id="stop-all"
          hidden={open.length < 2}
          onClick={() => Promise.allSettled(open.map((answer) => actions.act("stop", answer)))}
        >
          Stop all
        </button>
      </Composer>
    </section>
  );
}

function Chats({ current, title }: { current: number; title: string }) {
  const { data = [] } = useData<SessionInList[]>("/api/chats/");
  return (
    <nav className="chats" aria-label="Chats">
      <ol>
        {data.map((session) => (
          <li key={session.id}>
            <Link
              href={`/assistant/${session.id}/`}
              aria-current={session.id === current ? "page" : undefined}
            >
              {session.id === current ? title : session.title || "New chat"}
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}
