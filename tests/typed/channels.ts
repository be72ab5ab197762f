// What a page of React remembers of a socket, and what it may do with it.
import type { ServerFrame } from "src/realtime/realtime.js";
import { type Channel, useFrames, useWebSocket } from "src/realtime/useWebSocket";

const PATH = "/ws/notifications/";

const unread: Channel<typeof PATH, number> = {
  initial: 0,
  ids: { notification: "notification_id" },
  reduce: (value, frame) => (frame.type === "connection_established" ? frame.unread : value),
};
const wrong: Channel<typeof PATH, number> = {
  initial: "none", // TS2322
  ids: { chat_message: "message_id" }, // TS2353
  reduce: (value, frame) => (frame.type === "notification" ? frame.kind : value), // TS2322
};
const elsewhere: Channel<`/ws/rooms/${string}/`, string[]> = {
  initial: [],
  reduce: (value, frame) => (frame.type === "chat_message" ? [...value, frame.message] : value),
};
const nowhere: Channel<"/ws/notification/", number> = { initial: 0, reduce: (value) => value }; // TS2344

export function Page({ slug }: { slug: string }) {
  const { value, state, send, request } = useWebSocket(PATH, unread);
  const room = useWebSocket(`/ws/rooms/${slug}/`, elsewhere);
  useFrames(PATH, (frame) => frame.type === "notification" && frame.data);
  useFrames(PATH, (frame: ServerFrame<"/ws/leaderboard/">) => frame); // TS2345
  useFrames("/ws/nothing/", console.log); // TS2345
  useWebSocket("/ws/notification/", unread); // TS2345
  useWebSocket(PATH, elsewhere); // TS2345
  send({ type: "mark_read", notification_id: value });
  send({ type: "mark_read" }); // TS2345
  room.send({ type: "mark_read", notification_id: value }); // TS2322
  request({ type: "mark_read", notification_id: value }).then((reply) => reply.ok);
  request({ type: "mark_read", notification_id: value }).then((reply) => reply.unread); // TS2339
  request({ type: "mark_read", notification_id: value, unread: 0 }); // TS2353
  return [value.toFixed(), state === "connected", wrong, nowhere];
}
