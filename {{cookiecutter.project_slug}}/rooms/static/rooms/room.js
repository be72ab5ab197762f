import { connect } from "../connect.js";
import { followEnd } from "../log/follow_end.js";
import { fromTemplate, showState, showTime } from "../ui.js";
import { showAvatar } from "./avatar.js";
import { showCall } from "./stage.js";
import { showWaiting } from "./waiting.js";

const TYPING_REPEAT = 3000; // ms between two "is typing" while somebody writes
const TYPING_LASTS = 5000; // ms until the others stop believing it

const $ = (id) => document.getElementById(id);
const [log, messages, composer, draft, newer] = ["log", "messages", "composer", "draft", "newer"].map($);
const room = document.querySelector(".room").dataset;
const me = { id: Number(room.userId), username: room.username };
const socket = connect(`/ws/rooms/${room.room}/`, {
  since: Number(room.since),
  ids: { chat_message: "message_id" },
});

/* Connection: no writing while nobody would hear it. */

const fields = composer.querySelector("fieldset");
let wasWriting = true;
showState(socket, $("state"));
socket.on("state", ({ state }) => {
  if (!fields.disabled) wasWriting = fields.contains(document.activeElement);
  fields.disabled = state !== "connected";
  if (!fields.disabled && wasWriting) draft.focus();
});

const end = followEnd(log, messages, newer);

/* Messages: in the order of their ids, those that the server has not confirmed at the end. */

function newMessage(sender) {
  const item = fromTemplate("message");
  item.dataset.author = sender.id;
  item.classList.toggle("own", sender.id === me.id);
  item.querySelector(".author").textContent = sender.username;
  return item;
}

// Colour, local time, and no name again when the one above is by the same author.
function dress(item) {
  const author = { id: Number(item.dataset.author), username: item.querySelector(".author").textContent };
  showAvatar(item.querySelector(".avatar"), author);
  showTime(item.querySelector("time"));
  [item, item.nextElementSibling].forEach(group);
}

function group(item) {
  item?.classList.toggle("follows", item.previousElementSibling?.dataset.author === item.dataset.author);
}

function place(item) {
  const idOf = (one) => Number(one.dataset.id || Infinity);
  const before = [...messages.children].findLast((other) => other !== item && idOf(other) <= idOf(item));
  if (before) before.after(item);
  else messages.prepend(item);
  if (!item.dataset.id) end.go();
  else newer.hidden = end.here;
}

const shown = (id) => messages.querySelector(`.message[data-id="${id}"]`);
const underway = new Set(); // promises, one for each message of ours that waits for its reply

// The reply tells which message is ours, and comes after the message itself: so that waits for it.
socket.on("chat_message", async ({ message, message_id, sender, sent_at }) => {
  if (sender.id === me.id) await Promise.allSettled(underway);
  const item = shown(message_id) ?? newMessage(sender);
  item.dataset.id = message_id;
  item.querySelector(".body").textContent = message;
  item.querySelector("time").dateTime = sent_at;
  place(item);
  dress(item);
  setTyping(sender, false);
});

function deliver(item) {
  item.classList.add("pending");
  item.querySelector(".failure")?.remove();
  const delivery = post(item)
    .then(({ message_id }) => confirm(item, message_id))
    .catch((error) => fail(item, error))
    .finally(() => {
      item.classList.remove("pending");
      underway.delete(delivery);
    });
  underway.add(delivery);
}

// The key lets the server see what it has stored already, so a message whose reply was lost can be sent again.
async function post(item) {
  const message = item.querySelector(".body").textContent;
  const frame = { type: "chat_message", message, idempotency_key: item.dataset.key };
  try {
    return await socket.request(frame);
  } catch (error) {
    if (error.code !== "offline") throw error;
    await connected();
    return socket.request(frame);
  }
}

function connected() {
  const { promise, resolve, reject } = Promise.withResolvers();
  const look = ({ state }) => {
    if (state === "connected") resolve();
    if (state === "closed") reject(new Error("There is no connection any more."));
  };
  const off = socket.on("state", look);
  look(socket);
  return promise.finally(off);
}

function confirm(item, id) {
  if (shown(id)) {
    const next = item.nextElementSibling;
    item.remove(); // it was given up, but had arrived
    return group(next);
  }
  item.dataset.id = id;
  place(item);
  dress(item);
}

function fail(item, error) {
  const failure = fromTemplate("failure");
  failure.querySelector("span").textContent = `Not sent. ${error.message}`;
  failure.querySelector("button").addEventListener("click", () => deliver(item));
  item.querySelector(".bubble").append(failure);
}

// The server does not send again all that was missed in a long absence. If its history has become shorter, a
// backup was restored, and what stands here may not exist any more.
socket.on("gap", ({ asked, resumed }) => {
  if (resumed < asked) return location.reload();
  const notice = fromTemplate("gap");
  notice.dataset.id = resumed;
  place(notice);
  group(notice.nextElementSibling);
});

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = draft.value.trim();
  if (!text) return;
  const item = newMessage(me);
  item.dataset.key = crypto.getRandomValues(new BigUint64Array(2)).join("-"); // randomUUID() would need HTTPS
  item.querySelector(".body").textContent = text;
  item.querySelector("time").dateTime = new Date().toISOString();
  place(item);
  dress(item);
  deliver(item);
  draft.value = "";
  tellTyping();
});

draft.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

/* Presence */

function enter(user) {
  leave(user);
  const person = fromTemplate("person");
  person.dataset.id = user.id;
  showAvatar(person.querySelector(".avatar"), user);
  if (user.id === me.id) {
    person.querySelector(".name").textContent = `${user.username} (you)`;
    $("present").prepend(person);
  } else {
    person.querySelector(".name").textContent = user.username;
    $("present").append(person);
  }
  $("present-count").textContent = $("present").children.length;
}

function leave(user) {
  $("present").querySelector(`[data-id="${user.id}"]`)?.remove();
  $("present-count").textContent = $("present").children.length;
  setTyping(user, false);
}

socket.on("connection_established", ({ present }) => {
  $("present").replaceChildren();
  present.forEach(enter);
});
socket.on("presence", ({ event, user }) => (event === "join" ? enter(user) : leave(user)));

/* Typing */

const typing = new Map(); // user id -> { username, timeout }
let toldAt = 0; // when we last said that we are typing; 0 if we are not

function setTyping(user, active) {
  clearTimeout(typing.get(user.id)?.timeout);
  typing.delete(user.id);
  if (active) {
    const timeout = setTimeout(() => setTyping(user, false), TYPING_LASTS);
    typing.set(user.id, { username: user.username, timeout });
  }
  const names = [...typing.values()].map(({ username }) => username);
  const verb = names.length === 1 ? "is" : "are";
  $("typing").textContent = names.length ? `${new Intl.ListFormat("en").format(names)} ${verb} typing` : "";
}

function tellTyping() {
  const active = draft.value.trim() !== "";
  if (active ? Date.now() - toldAt < TYPING_REPEAT : !toldAt) return;
  socket.send({ type: "typing", active });
  toldAt = active ? Date.now() : 0;
}

socket.on("typing", ({ active, user }) => setTyping(user, active));
draft.addEventListener("input", tellTyping);

[...messages.children].forEach(dress);
showCall(socket, me);
showWaiting(socket);
