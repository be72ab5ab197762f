import { useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import { useFrames, useWebSocket } from "../realtime/useWebSocket";
import { useUser } from "../site";
import { Status, Title } from "../ui";
import { useEnd } from "../useEnd";
import { Avatar } from "./Avatar";
import { Call, JoinCall } from "./Call";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { lines } from "./outgoing";
import { type Person, type RoomStart, roomSince } from "./room";
import { useCall } from "./useCall";
import { useOutgoing } from "./useOutgoing";
import { useTyping } from "./useTyping";
import { Waiting } from "./Waiting";
import "./room.css";
import "./call.css";

/** Chat, who is here and who is typing, and a call. */
export function Room({ room }: { room: RoomStart }) {
  const me = useUser();
  const path = `/ws/rooms/${room.slug}/` as const;
  const channel = useMemo(() => roomSince(room.messages), [room]);
  const live = useWebSocket(path, channel);
  const { value, state, reason, send } = live;
  const { outgoing, post, again } = useOutgoing(path, live);
  const typing = useTyping(path);
  const call = useCall(path, live, me);
  const end = useEnd<HTMLDivElement, HTMLOListElement>();
  const newest = value.messages.at(-1)?.message_id ?? 0;
  const newer = useNewer(newest, end.here);

  // If its history has become shorter, a backup was restored, and what stands here may not exist any more.
  useFrames(path, (frame) => {
    if (frame.type === "gap" && frame.resumed < frame.asked) location.reload();
  });

  // Who has sent something wants to see it.
  const sent = outgoing.at(-1)?.key;
  useEffect(() => {
    if (sent) end.go();
  }, [sent, end.go]);

  return (
    <section className={call.inside ? "room calling" : "room"}>
      <Title>{room.name}</Title>
      <div className="bar">
        <h1>{room.name}</h1>
        {room.is_host && <Link href={`/rooms/${room.slug}/host/`}>Settings</Link>}
        <JoinCall call={call} people={value.call} connected={state === "connected"} />
        <Status state={state} reason={reason} />
      </div>
      <Call call={call} me={me}>
        <Waiting guests={value.guests} answer={(type, user_id) => send({ type, user_id })} />
      </Call>
      <Present people={value.present} me={me} />
      <Conversation lines={lines(value, outgoing, me)} me={me} again={again} end={end} />
      <Composer
        connected={state === "connected"}
        typing={typing}
        newer={newer}
        showNewest={end.go}
        tell={(active) => send({ type: "typing", active })}
        post={(text) => post(text, newest)}
      />
    </section>
  );
}

/** Whether something came that who has scrolled up does not see. */
function useNewer(newest: number, here: boolean): boolean {
  const [seen, setSeen] = useState(newest);
  useEffect(() => {
    if (here) setSeen(newest);
  }, [newest, here]);
  return !here && newest !== seen;
}

function Present({ people, me }: { people: Person[]; me: Person }) {
  const others = people.filter(({ id }) => id !== me.id);
  const own = people.filter(({ id }) => id === me.id);
  return (
    <aside aria-labelledby="present-title">
      <h2 id="present-title">
        Here now{" "}
        <span className="count" id="present-count">
          {people.length || ""}
        </span>
      </h2>
      <ul className="people" id="present">
        {[...own, ...others].map((user) => (
          <li key={user.id}>
            <Avatar user={user} />{" "}
            <span className="name">{user.id === me.id ? `${user.username} (you)` : user.username}</span>
          </li>
        ))}
      </ul>
    </aside>
  );
}
