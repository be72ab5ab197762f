import { Link, useLocation } from "wouter";
import { useData } from "../api";
import { useForm } from "../forms";
import { Pending, Time, Title } from "../ui";
import { RoomFields, ZONE } from "./RoomFields";
import type { RoomInfo } from "./room";
import "./rooms.css";

export default function Rooms() {
  const { data: rooms, error, reload } = useData<RoomInfo[]>("/api/rooms/");
  const [, navigate] = useLocation();
  const { errors, busy, onSubmit } = useForm<RoomInfo>(
    "/api/rooms/",
    ({ slug, is_open }) => navigate(`/rooms/${slug}/${is_open ? "" : "host/"}`),
    { time_zone: ZONE },
  );
  if (!rooms) return <Pending error={error} retry={reload} />;
  return (
    <>
      <Title>Rooms</Title>
      <h1>Rooms</h1>
      <ul className="cards">
        {rooms.map((room) => (
          <li className="card" key={room.slug}>
            <h2>
              <Link href={`/rooms/${room.slug}/`}>{room.name}</Link>
            </h2>
            {!room.is_open && <p>By invitation</p>}
            {room.ended ? (
              <p>Closed</p>
            ) : (
              room.starts_at && (
                <p>
                  From <Time iso={room.starts_at} />
                </p>
              )
            )}
            {room.is_host && <p>You are its host</p>}
          </li>
        ))}
        {!rooms.length && <li className="card empty">No rooms yet. Open the first one below.</li>}
      </ul>
      <form className="card form" onSubmit={onSubmit}>
        <h2>Open a room</h2>
        <RoomFields errors={errors} />
        <button disabled={busy}>Open</button>
      </form>
    </>
  );
}
