import { connect } from "../connect.js";
import { followEnd } from "../log/follow_end.js";
import { showState } from "../ui.js";
import { Answer } from "./answer.js";
import { allow, offer, takePrompts } from "./composer.js";
import { Turn } from "./turn.js";

const WATCH = 1000; // ms
const SPOKEN = 3; // answers that may end at once, and are read aloud

const $ = (id) => document.getElementById(id);
const { session } = document.querySelector(".arena").dataset;
const turns = new Map(); // by the id of the prompt
const answers = new Map(); // by their own
const early = []; // beginnings of answers whose prompts were not here
const end = followEnd($("log"), $("turns"), $("newer"));
// All that was said comes through the socket.
const socket = connect(`/ws/chat/session/${session}/`, { since: 0, ids: { chat_message: "message_id" } });

showState(socket, $("state"));
socket.on("state", ({ state }) => allow(state === "connected"));

socket.on("connection_established", ({ providers, default_providers, limits, votes }) => {
  offer(providers, default_providers, limits);
  for (const turn of turns.values()) turn.vote(turn.answers.find(({ id }) => votes.includes(id))?.id);
  for (const answer of streaming()) resume(answer); // it may have ended since
});

socket.on("chat_message", (frame) => {
  if (!turns.size) showTitle(frame.message);
  const turn = new Turn(frame);
  turns.set(turn.id, turn);
  $("turns").append(turn.element);
  for (const started of early) if (started.prompt_id === turn.id) resume(find(started));
});

// Where `prompt_id` is not known, the prompt is too old to be shown.
function find({ message_id, prompt_id, ...frame }) {
  if (!answers.has(message_id) && turns.has(prompt_id)) {
    const answer = new Answer({ message_id, ...frame }, act);
    answers.set(message_id, answer);
    turns.get(prompt_id).add(answer);
  }
  return answers.get(message_id);
}

socket.on("message_started", (frame) => {
  if (!find(frame)) early.push(frame); // a prompt waits for the one before it, an answer does not
  refresh();
});

socket.on("message_snapshot", (frame) => {
  const answer = find(frame);
  if (answer && !answer.take(frame)) resume(answer);
  if (frame.vote) turns.get(frame.prompt_id)?.vote(frame.message_id);
  refresh();
});

socket.on("message_delta", ({ message_id, offset, text }) => {
  const answer = answers.get(message_id);
  if (!answer?.isStreaming) return; // a process that was asleep may write on what another one has finished
  if (!answer.add(offset, text)) resume(answer);
  refresh();
});

socket.on("message_finished", (frame) => {
  const answer = answers.get(frame.message_id);
  if (!answer?.isStreaming) return;
  if (answer.length < frame.length) resume(answer);
  if (answer.length > frame.length) resume(answer, 0);
  answer.finish(frame);
  readOut(answer);
  refresh();
});

socket.on("voted", ({ message_id, prompt_id }) => turns.get(prompt_id)?.vote(message_id));

// If the history has become shorter, a backup was restored, and what stands here may not exist any more.
socket.on("gap", ({ asked, resumed }) => (resumed < asked ? location.reload() : ($("gap").hidden = false)));

const streaming = () => [...answers.values()].filter(({ isStreaming }) => isStreaming);
const act = (type, answer) => socket.request({ type, message_id: answer.id });
const resume = ({ id }, offset) => socket.send({ type: "resume", message_id: id, offset: offset ?? answers.get(id).length });

// Not word for word as it grows.
function readOut({ provider, text }) {
  const words = document.createElement("p");
  words.textContent = `${provider} has answered: ${text}`;
  $("aloud").append(words);
  if ($("aloud").children.length > SPOKEN) $("aloud").firstChild.remove();
}

function refresh() {
  $("stop-all").hidden = streaming().length < 2;
  $("newer").hidden = end.here;
}

// The first prompt names a new chat.
function showTitle(prompt) {
  if (!("untitled" in $("title").dataset)) return;
  $("title").textContent = prompt;
  document.querySelector(".chats [aria-current]")?.replaceChildren(prompt);
}

takePrompts(`assistant.draft.${session}`, (prompt) => {
  end.go();
  return socket.request({ type: "chat_message", ...prompt });
});
$("stop-all").addEventListener("click", () => Promise.allSettled(streaming().map((answer) => act("stop", answer))));
for (const example of document.querySelectorAll(".examples button")) {
  example.addEventListener("click", () => {
    $("draft").value = example.textContent;
    $("draft").focus();
  });
}

// Of an answer whose process was killed at the very end, nobody says that it has ended.
setInterval(() => {
  if (socket.state === "connected") for (const answer of streaming()) if (answer.watch()) resume(answer);
}, WATCH);
