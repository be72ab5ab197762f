import { expect, test } from "vitest";
import { type Arena, arena, reduce, resume, streaming } from "./arena";

type Frame = Parameters<typeof reduce>[1];

const at = "2026-11-27T10:00:00Z";
const usage = { input_tokens: 3, output_tokens: 4 };
const ms = { first: 100, total: 200 };

const prompt = (id: number, message = "Why?"): Frame => ({
  type: "chat_message",
  message_id: id,
  message,
  created_at: at,
});
const started = (id: number, prompt_id: number, provider = "echo"): Frame => ({
  type: "message_started",
  message_id: id,
  prompt_id,
  provider,
  model: "small",
  created_at: at,
});
const delta = (id: number, offset: number, text: string): Frame => ({
  type: "message_delta",
  message_id: id,
  offset,
  text,
});
const finished = (id: number, length: number): Frame => ({
  type: "message_finished",
  message_id: id,
  reason: "stop",
  usage,
  ms,
  length,
});
const snapshot = (id: number, prompt_id: number, more: object): Frame => ({
  type: "message_snapshot",
  message_id: id,
  prompt_id,
  provider: "echo",
  model: "small",
  created_at: at,
  offset: 0,
  text: "",
  state: "streaming",
  reason: "",
  usage,
  ms,
  error: "",
  detail: "",
  vote: false,
  ...more,
});
const hello = (votes: number[] = []): Frame => ({
  type: "connection_established",
  user: { id: 1, username: "ada" },
  heartbeat: 30,
  session_id: 1,
  title: "",
  providers: [],
  default_providers: [],
  limits: { prompt_chars: 100, providers: 3, concurrent: 5 },
  votes,
});

const after = (...frames: Frame[]): Arena => frames.reduce(reduce, arena.initial);
const answers = ({ turns }: Arena) => turns.flatMap(({ answers }) => answers);
const texts = (value: Arena) => answers(value).map(({ text }) => text);

test("answers grow side by side, counted in characters", () => {
  const value = after(
    prompt(1),
    started(2, 1, "one"),
    started(3, 1, "two"),
    delta(2, 0, "Hi 🎈"),
    delta(3, 0, "Oh"),
    delta(2, 4, "!"),
  );
  expect(texts(value)).toEqual(["Hi 🎈!", "Oh"]);
  expect(answers(value).map(({ length }) => length)).toEqual([5, 2]);
  expect(value.title).toBe("Why?");
  expect(value.missing).toEqual([]);
});

test("only what has changed is another object", () => {
  const before = after(prompt(1), started(2, 1), prompt(3), started(4, 3, "one"), started(5, 3, "two"));
  const now = reduce(before, delta(5, 0, "Hi"));
  expect(now.turns[0]).toBe(before.turns[0]);
  expect(now.turns[1]).not.toBe(before.turns[1]);
  expect(now.turns[1]?.answers[0]).toBe(before.turns[1]?.answers[0]);
  expect(reduce(before, delta(99, 0, "Hi"))).toBe(before);
});

test("a piece that is known already adds nothing, and one that overlaps its end", () => {
  const value = after(prompt(1), started(2, 1), delta(2, 0, "One two"));
  expect(texts(reduce(value, delta(2, 0, "One")))).toEqual(["One two"]);
  expect(texts(reduce(value, delta(2, 4, "two three")))).toEqual(["One two three"]);
});

test("what is missing is asked for once, and comes as a snapshot", () => {
  let value = after(prompt(1), started(2, 1), delta(2, 0, "One"), delta(2, 8, "three"));
  const [wanted] = value.missing;
  expect(wanted).toEqual({ type: "resume", message_id: 2, offset: 3 });
  value = reduce(value, delta(2, 13, " four"));
  expect(value.missing[0]).toBe(wanted);
  value = reduce(value, snapshot(2, 1, { offset: 3, text: " two three four" }));
  expect(texts(value)).toEqual(["One two three four"]);
  expect(value.missing).toEqual([]);
});

test("after a break all that may have grown is asked for anew", () => {
  const broken = after(prompt(1), started(2, 1), delta(2, 0, "One"), delta(2, 8, "three"), started(3, 1));
  const value = reduce(broken, hello());
  expect(value.missing).toEqual([
    { type: "resume", message_id: 2, offset: 3 },
    { type: "resume", message_id: 3, offset: 0 },
  ]);
  expect(value.missing[0]).not.toBe(broken.missing[0]);
});

test("an end says whether text is missing, and is read aloud", () => {
  const grown = after(prompt(1), started(2, 1), delta(2, 0, "One"));
  const whole = reduce(grown, finished(2, 3));
  expect(whole.spoken).toEqual([{ id: 2, text: "echo has answered: One" }]);
  expect([streaming(whole), whole.missing]).toEqual([[], []]);
  expect(reduce(whole, delta(2, 3, " two"))).toBe(whole);
  expect(reduce(grown, finished(2, 7)).missing[0]?.offset).toBe(3);
  const other = reduce(grown, finished(2, 2)); // another process has finished it with other words
  expect(other.missing[0]?.offset).toBe(0);
  const settled = reduce(other, snapshot(2, 1, { text: "No", state: "finished", reason: "stop" }));
  expect(texts(settled)).toEqual(["No"]);
});

test("an answer may come before its prompt", () => {
  const early = after(started(2, 1), delta(2, 0, "One"));
  expect(early.turns).toEqual([]);
  const value = reduce(early, prompt(1));
  expect(answers(value).map(({ id, provider }) => [id, provider])).toEqual([[2, "echo"]]);
  expect(value.missing).toEqual([{ type: "resume", message_id: 2, offset: 0 }]);
  expect(value.early).toEqual([]);
});

test("of the answers to a prompt one has the vote", () => {
  const value = after(prompt(1), started(2, 1, "one"), started(3, 1, "two"), hello([3]));
  expect(value.turns[0]?.best).toBe(3);
  expect(reduce(value, { type: "voted", message_id: 2, prompt_id: 1 }).turns[0]?.best).toBe(2);
  expect(after(prompt(1), snapshot(2, 1, { vote: true })).turns[0]?.best).toBe(2);
});

test("answers stand in the order in which they were begun", () => {
  const value = after(prompt(1), started(5, 1), snapshot(3, 1, { text: "old", state: "finished" }));
  expect(answers(value).map(({ id }) => id)).toEqual([3, 5]);
});

test("a page holds so many turns and answers, and says that there are more", () => {
  let value = arena.initial;
  for (let id = 1; id <= 300; id++) value = reduce(value, prompt(id));
  expect([value.turns.length, value.turns.at(-1)?.id, value.isCut]).toEqual([200, 300, true]);
  for (let id = 1000; id < 1600; id++) value = reduce(value, started(id, 300));
  value = reduce(value, prompt(301));
  expect(value.turns.map(({ id }) => id)).toEqual([301]);
  for (let id = 2000; id < 2100; id++) value = reduce(value, started(id, 999));
  expect(value.early.length).toBe(50);
});

test("a long answer in small pieces takes no long time", () => {
  let value = after(prompt(1), started(2, 1));
  for (let offset = 0; offset < 200_000; offset += 5) value = reduce(value, delta(2, offset, "word "));
  expect(answers(value)[0]?.length).toBe(200_000);
  expect(resume(answers(value)[0] as never).offset).toBe(200_000);
});
