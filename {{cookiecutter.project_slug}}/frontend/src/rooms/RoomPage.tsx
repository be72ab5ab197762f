import { useData } from "../api";
import { Door } from "./Door";
import { NoPage } from "./NoPage";
import { Room } from "./Room";
import type { RoomStart } from "./room";

export default function RoomPage({ params: { slug } }: { params: Record<string, string> }) {
  const { data: room, error, reload } = useData<RoomStart>(`/api/rooms/${slug}/`);
  if (error) return <NoPage error={error} retry={reload} />;
  if (!room) return null;
  return room.closed_because || room.must_wait ? <Door room={room} reload={reload} /> : <Room room={room} />;
}
