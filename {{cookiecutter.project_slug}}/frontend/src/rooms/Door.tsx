import { useEffect } from "react";
import { Link } from "wouter";
import { useFrames, useWebSocket } from "../realtime/useWebSocket";
import { Status, Time, Title } from "../ui";
import { type RoomStart, roomSince } from "./room";
import "./door.css";

const LONGEST = 2 ** 31 - 1; // ms that a timer can take
const nothing = roomSince([]);

/** Before a room that is not open yet, or whose host lets people in. */
export function Door({ room, reload }: { room: RoomStart; reload: () => void }) {
  return (
    <section className="card door">
      <Title>{room.name}</Title>
      <h1>{room.name}</h1>
      {room.closed_because ? <Times room={room} reload={reload} /> : <Wait slug={room.slug} />}
      <p className="bar">
        <Link href="/rooms/">All rooms</Link>
        {room.is_host && <Link href={`/rooms/${room.slug}/host/`}>Settings</Link>}
      </p>
    </section>
  );
}

function Times({
  room: { closed_because, starts_at, ends_at },
  reload,
}: {
  room: RoomStart;
  reload: () => void;
}) {
  const left = starts_at ? new Date(starts_at).getTime() - Date.now() : 0;
  useEffect(() => {
    if (left <= 0 || left >= LONGEST) return;
    const timer = setTimeout(reload, left + 1000 + Math.random() * 4000); // not all at once
    return () => clearTimeout(timer);
  }, [left, reload]);
  return (
    <>
      <p>{closed_because}.</p>
      <dl>
        {starts_at && (
          <div>
            <dt>Begins</dt>{" "}
            <dd>
              <Time iso={starts_at} />
            </dd>
          </div>
        )}
        {ends_at && (
          <div>
            <dt>Ends</dt>{" "}
            <dd>
              <Time iso={ends_at} />
            </dd>
          </div>
        )}
      </dl>
      <p className="muted" id="hint">
        These times are by your own clock.{left > 0 && " The page opens the room when it begins."}
      </p>
    </>
  );
}

function Wait({ slug }: { slug: string }) {
  const path = `/ws/rooms/${slug}/` as const;
  const { state, reason } = useWebSocket(path, nothing);
  // The page is loaded anew, since what is said inside was not for it.
  useFrames(path, (frame) => {
    if (frame.type === "admitted" || (frame.type === "connection_established" && !frame.waiting))
      location.reload();
  });
  return (
    <>
      <Status state={state} reason={reason} />
      <p id="hint" hidden={state === "closed"}>
        The host has been told that you are here. You come in as soon as you are admitted; keep this page
        open.
      </p>
    </>
  );
}
