import { describe, expect, test } from "vitest";
import { type ChatMessage, type Person, type RoomFrame, reduce, roomSince, say } from "./room";

const ada = { id: 1, username: "Ada" };
const bob = { id: 2, username: "Bob" };

function message(message_id: number, sender: Person = ada): ChatMessage {
  return {
    type: "chat_message",
    message: `number ${message_id}`,
    message_id,
    sender,
    sent_at: "2030-01-01T10:00:00Z",
  };
}

function after(frames: RoomFrame[], messages: ChatMessage[] = []) {
  return frames.reduce(reduce, roomSince(messages).initial);
}

function greeting(present: Person[], call: Person[] = []): RoomFrame {
  const room = { room_id: "lobby", user: ada, host: true, waiting: false, heartbeat: 30 };
  return { type: "connection_established", present, call, ...room };
}

describe("messages", () => {
  const ids = (frames: RoomFrame[]) =>
    after(frames, [message(1)]).messages.map(({ message_id }) => message_id);

  test("stand in the order of their ids, each once", () => {
    expect(ids([message(3), message(2), message(3), message(1)])).toEqual([1, 2, 3]);
  });

  test("are asked for from the newest that the page has loaded", () => {
    expect(roomSince([message(1), message(7)])).toMatchObject({
      since: 7,
      ids: { chat_message: "message_id" },
    });
    expect(roomSince([]).since).toBe(0);
  });

  test("are a thousand at most", () => {
    const many = Array.from({ length: 1500 }, (_, number) => message(number + 2));
    expect(ids(many).length).toBe(1000);
    expect(ids(many).at(-1)).toBe(1501);
  });

  test("are missing behind a gap", () => {
    expect(after([{ type: "gap", asked: 1, resumed: 40 }]).gaps).toEqual([40]);
  });
});

describe("people", () => {
  test("come and go, in the room and in its call", () => {
    const room = after([
      greeting([ada], [ada]),
      { type: "presence", event: "join", user: bob },
      { type: "presence", event: "join", user: bob },
      { type: "call_presence", event: "join", user: bob },
      { type: "call_presence", event: "leave", user: ada },
    ]);
    expect(room.present).toEqual([ada, bob]);
    expect(room.call).toEqual([bob]);
    expect(reduce(room, { type: "call_ended" }).call).toEqual([]);
    expect(reduce(room, greeting([bob]))).toMatchObject({ present: [bob], call: [], host: true });
  });

  test("wait until the host is told anew who does", () => {
    const room = after([greeting([ada]), { type: "waiting", users: [bob] }]);
    expect(room.guests).toEqual([bob]);
    expect(reduce(room, greeting([ada])).guests).toEqual([]);
  });

  test("are spoken of as one or many", () => {
    expect(say([], "typing")).toBe("");
    expect(say([ada], "typing")).toBe("Ada is typing");
    expect(say([ada, bob], "typing")).toBe("Ada and Bob are typing");
  });
});

test("a frame that the page does not know changes nothing", () => {
  const room = after([greeting([ada])]);
  expect(reduce(room, { type: "admitted" })).toBe(room);
});
