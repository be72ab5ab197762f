import { useData } from "../api";
import { Pending } from "../ui";
import { Door } from "./Door";
import { Room } from "./Room";
import type { RoomStart } from "./room";

export default function RoomPage({ params: { slug } }: { params: Record<string, string> }) {
  const { data: room, error, reload } = useData<RoomStart>(`/api/rooms/${slug}/`);
  if (!room) return <Pending error={error} retry={reload} />;
  return room.closed_because || room.must_wait ? <Door room={room} reload={reload} /> : <Room room={room} />;
}
