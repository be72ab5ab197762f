// What a socket of realtime.js takes and gives. A line that must be refused says by which error of tsc.
import { type ClientFrame, RealtimeSocket, type ServerFrame } from "src/realtime/realtime.js";

declare const slug: string;

const notifications = new RealtimeSocket("/ws/notifications/", { ids: { notification: "notification_id" } });
const room = new RealtimeSocket(`/ws/rooms/${slug}/`);
const lobby = new RealtimeSocket("/ws/rooms/lobby/", { since: 41 });
const mentor = new RealtimeSocket("/ws/mentor/7/");

// Paths
new RealtimeSocket("/ws/notification/"); // TS2345
new RealtimeSocket(`/ws/room/${slug}/`); // TS2345
new RealtimeSocket("/ws/mentor/ada/"); // TS2345
new RealtimeSocket(slug); // TS2345
new RealtimeSocket("/ws/notifications/", { ids: { notice: "notification_id" } }); // TS2353
new RealtimeSocket("/ws/notifications/", { ids: { notification: "message_id" } }); // TS2322

// Frames that a client sends
room.send({ type: "chat_message", message: "Hello" });
room.send({ type: "typing" });
lobby.send({ type: "webrtc_signal", signal: { sdp: "" }, to: 7 });
mentor.send({ type: "ping" });
room.send({ type: "chat" }); // TS2322
room.send({ type: "chat_message" }); // TS2345
room.send({ type: "chat_message", message: 7 }); // TS2322
room.send({ type: "chat_message", message: "Hello", urgent: true }); // TS2353
room.send({ type: "mark_read", notification_id: 7 }); // TS2322
notifications.send({ type: "chat_message", message: "Hello" }); // TS2322
mentor.send({ type: "student_news" }); // TS2322
const frame: ClientFrame<"/ws/notifications/"> = { type: "mark_read", notification_id: "7" }; // TS2322

// Replies
async function replies() {
  const { message_id } = await room.request({ type: "chat_message", message: "Hello" });
  const next: number = message_id + 1;
  const [first] = (await room.request({ type: "call_join", session: "a" })).participants;
  const name: string | undefined = first?.username;
  const { ok } = await notifications.request({ type: "mark_read", notification_id: next });
  const text: string = message_id; // TS2322
  (await room.request({ type: "typing" })).message_id; // TS2339
  (await room.request({ type: "chat_message", message: "Hello" })).text; // TS2339
  await room.request({ type: "chat_message", message: "Hello", urgent: true }); // TS2353
  await room.request({ type: "chat_message" }); // TS2345
  await room.request({ type: "mark_read", notification_id: 7 }); // TS2322
  return [name, ok, text];
}

// Frames that the server sends
room.on("chat_message", ({ sender, sent_at }) => console.log(sender.username, new Date(sent_at)));
room.on("connection_established", ({ present }) => present.map(({ id }) => id));
notifications.on("connection_established", ({ unread }) => unread + 1);
room.on("error", ({ code, detail }) => console.log(code, detail));
room.on("state", ({ state, reason }) => console.log(state === "closed", reason));
room.on("notification", console.log); // TS2769
room.on("chat_message", ({ body }) => console.log(body)); // TS2339
room.on("connection_established", ({ unread }) => unread); // TS2339
room.on("state", ({ state }) => state === "open"); // TS2367

room.on("*", (frame) => {
  if (frame.type === "chat_message") console.log(frame.message.length);
  if (frame.type === "presence") console.log(frame.event === "join", frame.user.id);
  if (frame.type === "presence") console.log(frame.event === "came"); // TS2367
  if (frame.type === "notification") console.log("never"); // TS2367
  console.log(frame.message); // TS2339
});

function text(frame: ServerFrame<"/ws/leaderboard/">): string {
  switch (frame.type) {
    case "leaderboard_snapshot":
      return frame.entries.map(({ rank, user }) => `${rank}. ${user.username}`).join();
    case "leaderboard_changed":
      return frame.removed.length.toFixed();
    case "dashboard_event": // TS2678
      return "";
    default:
      return frame.type;
  }
}

export { frame, replies, text };
