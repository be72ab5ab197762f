import { useRef, useState } from "react";
import { Link } from "wouter";
import { api, useData } from "../api";
import { ErrorList, Field, useForm } from "../forms";
import { Pending, Time, Title } from "../ui";
import { RoomFields, ZONE } from "./RoomFields";
import type { RoomInfo } from "./room";
import "./rooms.css";

interface Hosted extends RoomInfo {
  waits: boolean;
  members: string[];
  invitation: string; // what a link carries
  invitation_ends: string;
}

/** What the host of a room sees to: when it is open, and for whom. */
export default function Host({ params: { slug } }: { params: Record<string, string> }) {
  const path = `/api/rooms/${slug}/host/`;
  const { data: room, error, reload } = useData<Hosted>(path);
  const [done, setDone] = useState("");
  const settings = useForm<Hosted>(path, () => finish("Saved."), { time_zone: ZONE });

  function finish(text: string) {
    setDone(text);
    reload();
  }

  if (!room) return <Pending error={error} retry={reload} />;
  return (
    <>
      <Title>{`${room.name}: settings`}</Title>
      <p className="note" role="status" hidden={!done}>
        {done}
      </p>
      <div className="bar">
        <h1>{room.name}</h1>
        <Link href={`/rooms/${slug}/`}>Go to the room</Link>
      </div>
      <div className="settings">
        <form className="card form" onSubmit={settings.onSubmit}>
          <h2>The room</h2>
          <RoomFields room={room} errors={settings.errors} open />
          <button disabled={settings.busy}>Save</button>
        </form>
        <Invited room={room} path={path} finish={finish} />
      </div>
    </>
  );
}

interface InvitedProps {
  room: Hosted;
  path: string;
  finish: (text: string) => void;
}

function Invited({ room, path, finish }: InvitedProps) {
  const [problem, setProblem] = useState<string[]>();
  const { errors, busy, onSubmit } = useForm<{ detail: string }>(`${path}invite/`, ({ detail }, form) => {
    form.reset();
    finish(detail);
  });

  async function withdraw(user: string | null) {
    try {
      const { detail } = await api<{ detail: string }>(`${path}withdraw/`, { user });
      setProblem(undefined);
      finish(detail);
    } catch (error) {
      setProblem([(error as Error).message]);
    }
  }

  return (
    <section className="card form" aria-labelledby="invited">
      <h2 id="invited">
        Invited <span className="count">{room.members.length || ""}</span>
      </h2>
      {room.is_open && (
        <p>Everyone may come in as it is. Make the room “by invitation” to have only these.</p>
      )}
      <form className="inline" onSubmit={onSubmit}>
        <div>
          <ErrorList list={errors.__all__} />
          <Field name="login" label="Username or email" maxLength={254} required errors={errors} />
        </div>
        <button disabled={busy}>Invite</button>
      </form>
      <ErrorList list={problem} />
      <ul className="invited">
        {room.members.map((member) => (
          <li key={member}>
            <span>{member}</span>
            <button
              className="quiet"
              aria-label={`Withdraw the invitation of ${member}`}
              onClick={() => withdraw(member)}
            >
              Withdraw
            </button>
          </li>
        ))}
        {!room.members.length && <li className="muted">Nobody yet.</li>}
      </ul>
      <Invitation room={room} withdraw={() => withdraw(null)} />
    </section>
  );
}

function Invitation({ room, withdraw }: { room: Hosted; withdraw: () => void }) {
  const [copied, setCopied] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const query = new URLSearchParams({ invitation: room.invitation });
  const link = `${location.origin}/rooms/${room.slug}/join/?${query}`;

  async function copy() {
    try {
      await navigator.clipboard.writeText(link);
      setCopied(link);
    } catch {
      field.current?.select(); // the browser does not allow it, so it is for the keyboard
    }
  }

  return (
    <>
      <div>
        <label htmlFor="link">Or send this link</label>
        <p>
          Who accepts it while logged in is invited, too. It holds until <Time iso={room.invitation_ends} />,
          or until you withdraw an invitation.
        </p>
        <input id="link" value={link} readOnly ref={field} />
      </div>
      <div className="bar">
        {/* Copying needs HTTPS. */}
        <button type="button" className="quiet" id="copy" hidden={!navigator.clipboard} onClick={copy}>
          {copied === link ? "Copied" : "Copy the link"}
        </button>
        <button type="button" className="quiet" onClick={withdraw}>
          Withdraw all links
        </button>
      </div>
    </>
  );
}
