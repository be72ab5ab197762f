/* What a page knows of a chat, and how each frame changes it. Texts are counted in characters, as the server does. */

import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

export type Path = `/ws/chat/session/${number}/`;
type Frame = ServerFrame<Path>;
type Of<T extends Frame["type"]> = Extract<Frame, { type: T }>;
type End = Pick<Of<"message_snapshot">, "reason" | "usage" | "ms" | "detail">;

const MOST_TURNS = 200; // that a page holds; older ones go
const MOST_ANSWERS = 500; // of all turns
const MOST_EARLY = 50; // beginnings of answers whose prompts are not here
const SPOKEN = 3; // answers that may end at once, and are read aloud

export interface Answer {
  id: number;
  provider: string;
  model: string;
  text: string;
  length: number; // of the text
  end?: End; // without it the answer is being written
}

export interface Turn {
  id: number; // of the prompt
  prompt: string;
  answers: Answer[]; // by id, upwards
  best?: number | undefined; // the id of the answer that was voted for
}

export interface Resume {
  type: "resume";
  message_id: number;
  offset: number;
}

export interface Arena {
  hello?: Of<"connection_established">;
  title: string; // the first prompt
  turns: Turn[];
  early: Of<"message_started">[];
  missing: Resume[]; // what is to be asked for, each once
  spoken: { id: number; text: string }[];
  isCut: boolean; // there are earlier turns
}

const initial: Arena = { title: "", turns: [], early: [], missing: [], spoken: [], isCut: false };

/** All that was said comes through the socket. */
export const arena: Channel<Path, Arena> = {
  initial,
  reduce,
  since: 0,
  ids: { chat_message: "message_id" },
};

export function reduce(arena: Arena, frame: Frame): Arena {
  switch (frame.type) {
    case "connection_established":
      return greet(arena, frame);
    case "chat_message":
      return addTurn(arena, frame);
    case "message_started":
      // A prompt waits for the one before it, an answer does not.
      if (!arena.turns.some(({ id }) => id === frame.prompt_id))
        return { ...arena, early: [...arena.early, frame].slice(-MOST_EARLY) };
      return addAnswer(arena, frame);
    case "message_snapshot":
      return take(addAnswer(arena, frame), frame);
    case "message_delta":
      return grow(arena, frame);
    case "message_finished":
      return finish(arena, frame);
    case "voted":
      return vote(arena, frame);
    case "gap":
      return { ...arena, isCut: true };
    default:
      return arena;
  }
}

export function streaming({ turns }: Arena): Answer[] {
  return turns.flatMap(({ answers }) => answers.filter(({ end }) => !end));
}

/** What asks for an answer from where it is known, or from an offset on. */
export function resume({ id, length }: Answer, offset = length): Resume {
  return { type: "resume", message_id: id, offset };
}

function find({ turns }: Arena, id: number): Answer | undefined {
  return turns
    .findLast(({ answers }) => answers.some((each) => each.id === id))
    ?.answers.find((each) => each.id === id);
}

function put(arena: Arena, answer: Answer): Arena {
  const at = arena.turns.findLastIndex(({ answers }) => answers.some(({ id }) => id === answer.id));
  const turn = arena.turns[at] as Turn;
  const answers = turn.answers.map((each) => (each.id === answer.id ? answer : each));
  return { ...arena, turns: arena.turns.with(at, { ...turn, answers }) };
}

/** What is asked for and has not come is not asked for again, until there is another connection. */
function ask(arena: Arena, wanted: Resume): Arena {
  if (arena.missing.some(({ message_id }) => message_id === wanted.message_id)) return arena;
  return { ...arena, missing: [...arena.missing, wanted] };
}

function came(arena: Arena, id: number): Arena {
  return { ...arena, missing: arena.missing.filter(({ message_id }) => message_id !== id) };
}

function greet(arena: Arena, hello: Of<"connection_established">): Arena {
  const turns = arena.turns.map((turn) => {
    const best = turn.answers.find(({ id }) => hello.votes.includes(id))?.id;
    return best === turn.best ? turn : { ...turn, best };
  });
  const asked = new Set(arena.missing.map(({ message_id }) => message_id));
  const known = turns.flatMap(({ answers }) => answers);
  const open = known.filter(({ id, end }) => !end || asked.has(id)); // it may have ended since
  return { ...arena, hello, turns, missing: open.map((answer) => resume(answer)) };
}

function addTurn(arena: Arena, { message_id: id, message: prompt }: Of<"chat_message">): Arena {
  const turns = [...arena.turns, { id, prompt, answers: [] }];
  let isCut = arena.isCut;
  let held = turns.reduce((sum, { answers }) => sum + answers.length, 0);
  while (turns.length > MOST_TURNS || (held > MOST_ANSWERS && turns.length > 1)) {
    held -= turns.shift()?.answers.length ?? 0;
    isCut = true;
  }
  const begun = arena.early.filter(({ prompt_id }) => prompt_id === id);
  const early = arena.early.filter(({ prompt_id }) => prompt_id !== id);
  const added: Arena = { ...arena, title: arena.title || prompt, turns, early, isCut };
  return begun.reduce((arena, frame) => {
    const answer = { id: frame.message_id, length: 0 } as Answer;
    return ask(addAnswer(arena, frame), resume(answer));
  }, added);
}

function addAnswer(
  arena: Arena,
  { message_id: id, prompt_id, provider, model }: Of<"message_started" | "message_snapshot">,
): Arena {
  const at = arena.turns.findLastIndex((turn) => turn.id === prompt_id); // -1: too old to be shown
  const turn = arena.turns[at];
  if (!turn || turn.answers.some((each) => each.id === id)) return arena;
  const answers = [...turn.answers, { id, provider, model, text: "", length: 0 }];
  answers.sort((one, other) => one.id - other.id); // what streams comes before older ones
  return { ...arena, turns: arena.turns.with(at, { ...turn, answers }) };
}

/** Add a piece that begins at an offset; nothing is returned if something is missing before it. */
function append(answer: Answer, offset: number, text: string): Answer | undefined {
  if (offset > answer.length) return undefined;
  const characters = [...text].slice(answer.length - offset);
  if (!characters.length) return answer;
  return {
    ...answer,
    text: answer.text + characters.join(""),
    length: answer.length + characters.length,
  };
}

function take(arena: Arena, frame: Of<"message_snapshot">): Arena {
  const known = find(arena, frame.message_id);
  if (!known) return arena;
  const { reason, usage, ms, detail } = frame;
  const isDone = frame.state === "finished";
  const begun = isDone && frame.offset === 0 ? { ...known, text: "", length: 0 } : known;
  const grown = append(begun, frame.offset, frame.text);
  const answer = grown ?? begun;
  const taken = came(
    put(arena, isDone ? { ...answer, end: { reason, usage, ms, detail } } : answer),
    answer.id,
  );
  const marked = frame.vote ? vote(taken, frame) : taken;
  return grown ? marked : ask(marked, resume(answer));
}

function grow(arena: Arena, { message_id, offset, text }: Of<"message_delta">): Arena {
  const known = find(arena, message_id);
  if (!known || known.end) return arena; // a process that was asleep may write on what another one has finished
  const grown = append(known, offset, text);
  return grown ? put(arena, grown) : ask(arena, resume(known));
}

function finish(arena: Arena, frame: Of<"message_finished">): Arena {
  const known = find(arena, frame.message_id);
  if (!known || known.end) return arena;
  const { reason, usage, ms, detail = "", length } = frame;
  const said = { id: known.id, text: `${known.provider} has answered: ${known.text}` };
  const spoken = [...arena.spoken, said].slice(-SPOKEN);
  const done = { ...put(arena, { ...known, end: { reason, usage, ms, detail } }), spoken };
  if (known.length === length) return done;
  return ask(done, resume(known, known.length < length ? known.length : 0));
}

function vote(arena: Arena, { message_id, prompt_id }: { message_id: number; prompt_id: number }): Arena {
  const turns = arena.turns.map((turn) => (turn.id === prompt_id ? { ...turn, best: message_id } : turn));
  return { ...arena, turns };
}
