import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { api, useData } from "../api";
import { Note, Pending, Time, Title } from "../ui";
import { NewChat } from "./NewChat";
import "./assistant.css";

export interface Session {
  id: number;
  title: string;
}

export interface SessionInList extends Session {
  created_at: string;
  prompts: number;
}

export default function Sessions() {
  const { data, error, reload } = useData<SessionInList[]>("/api/chats/");
  const [failure, setFailure] = useState("");
  if (!data) return <Pending error={error} retry={reload} />;

  async function remove(event: FormEvent, { id }: Session) {
    event.preventDefault();
    if (!confirm("Delete this chat and its answers?")) return;
    try {
      await api(`/api/chats/${id}/delete/`, {});
      setFailure("");
      reload();
    } catch (error) {
      setFailure(`Not deleted. ${(error as Error).message}`);
    }
  }

  return (
    <>
      <Title>Assistant</Title>
      <div className="bar">
        <h1>Assistant</h1>
        <NewChat fail={setFailure} />
      </div>
      <p className="muted">Ask one model or several at once, and see which one answers better.</p>
      <Note text={failure} />
      <ul className="cards">
        {data.map((session) => (
          <li className="card session" key={session.id}>
            <h2>
              <Link href={`/assistant/${session.id}/`}>{session.title || "New chat"}</Link>
            </h2>
            <p>
              <Time iso={session.created_at} /> · {session.prompts} question{session.prompts !== 1 && "s"}
            </p>
            <form onSubmit={(event) => remove(event, session)}>
              <button className="quiet" aria-label={`Delete ${session.title || `Session ${session.id}`}`}>
                Delete
              </button>
            </form>
          </li>
        ))}
        {!data.length && <li className="card empty">No chats yet. Begin the first one.</li>}
      </ul>
    </>
  );
}
