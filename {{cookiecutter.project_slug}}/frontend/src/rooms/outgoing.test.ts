import { describe, expect, test } from "vitest";
import { type Line, lines, type Outgoing, type Step, step } from "./outgoing";
import type { ChatMessage, Person } from "./room";

const me = { id: 1, username: "Ada" };
const bob = { id: 2, username: "Bob" };
const sent_at = "2030-01-01T10:00:00Z";

function message(message_id: number, sender: Person, text = `number ${message_id}`): ChatMessage {
  return { type: "chat_message", message: text, message_id, sender, sent_at };
}

function sent(key: string, after = 0): Step {
  return { type: "send", message: { key, text: key, sent_at, after } };
}

function outgoing(...steps: Step[]): Outgoing[] {
  return steps.reduce(step, []);
}

function texts(messages: ChatMessage[], ours: Outgoing[], gaps: number[] = []): (string | undefined)[] {
  return lines({ messages, gaps }, ours, me).map(({ text, gap }) => (gap ? "gap" : text));
}

describe("a message of ours", () => {
  test("stands at the end until the server has confirmed it, then in its place", () => {
    const ours = outgoing(sent("mine", 5));
    expect(texts([message(6, bob)], ours)).toEqual(["number 6", "mine"]);
    const stored = step(ours, { type: "stored", key: "mine", id: 6 });
    expect(texts([message(7, bob)], stored)).toEqual(["mine", "number 7"]);
  });

  test("is not shown twice when it comes before the reply, or after it", () => {
    const ours = outgoing(sent("mine", 5));
    expect(texts([message(6, me, "mine")], ours)).toEqual(["mine"]);
    const stored = step(ours, { type: "stored", key: "mine", id: 6 });
    expect(texts([message(6, me, "mine")], stored)).toEqual(["mine"]);
  });

  test("keeps its key, so that its element stays", () => {
    const ours = outgoing(sent("mine", 5));
    const keys = (lines: Line[]) => lines.map(({ key }) => key);
    const before = lines({ messages: [], gaps: [] }, ours, me);
    const stored = step(ours, { type: "stored", key: "mine", id: 6 });
    const after = lines({ messages: [message(6, me, "mine")], gaps: [] }, stored, me);
    expect(keys(after)).toEqual(keys(before));
  });

  test("is forgotten when 200 later ones are stored, but not before it is", () => {
    const steps = Array.from({ length: 300 }, (_, n) => n + 1).flatMap((id): Step[] => [
      sent(`${id}`),
      { type: "stored", key: `${id}`, id },
    ]);
    const ours = outgoing(sent("mine"), ...steps, sent("newest"));
    expect(ours.length).toBe(202);
    expect([ours[0]?.key, ours[1]?.key, ours.at(-1)?.key]).toEqual(["mine", "101", "newest"]);
  });

  test("that failed stays, and may be sent again", () => {
    const failed = outgoing(sent("mine", 5), { type: "failed", key: "mine", problem: "Slow down" });
    expect(failed[0]).toMatchObject({ pending: false, problem: "Slow down" });
    expect(step(failed, { type: "again", key: "mine" })).toEqual(outgoing(sent("mine", 5)));
  });

  test("that failed, but had arrived, is one again when it is sent again", () => {
    const failed = outgoing(sent("mine", 5), { type: "failed", key: "mine", problem: "No answer" });
    expect(texts([message(6, me, "mine")], failed)).toEqual(["mine", "mine"]);
    const again = [sent("mine", 5), { type: "stored", key: "mine", id: 6 }] as const;
    expect(texts([message(6, me, "mine")], outgoing(...again))).toEqual(["mine"]);
  });

  test("does not hide what was said before, or by others", () => {
    const ours = outgoing(sent("mine", 5));
    expect(texts([message(5, me), message(6, bob)], ours)).toEqual(["number 5", "number 6", "mine"]);
  });
});

test("of two equal messages each is shown once, whichever is confirmed", () => {
  const ours = outgoing(sent("a"), sent("b"), { type: "failed", key: "a", problem: "Slow down" });
  const both = [{ ...ours[0], text: "Twice" } as Outgoing, { ...ours[1], text: "Twice" } as Outgoing];
  const stored = step(both, { type: "stored", key: "b", id: 1 });
  expect(texts([message(1, me, "Twice")], stored)).toEqual(["Twice", "Twice"]);
});

test("a gap stands behind the message after which others are missing, and parts what one author said", () => {
  const shown = lines({ messages: [message(4, bob), message(9, bob), message(10, bob)], gaps: [4] }, [], me);
  expect(shown.map(({ gap }) => gap ?? false)).toEqual([false, true, false, false]);
  expect(shown.map(({ follows }) => follows)).toEqual([false, false, false, true]);
});
