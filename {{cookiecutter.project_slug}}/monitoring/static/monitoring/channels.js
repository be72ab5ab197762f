/* The page /admin/channels/: asks the processes every two seconds, while somebody looks. */

import { connect } from "../connect.js";
import { fromTemplate, showState, showTime } from "../ui.js";

const PAUSE = 2000; // ms between an answer and the next question
const TYPING = 300; // ms without a key after which a search begins
const $ = (id) => document.getElementById(id);

const socket = connect("/ws/admin/channels/");
const order = { sort: "since", descending: true };
let turn = 0; // the number of the newest question; answers to earlier ones are ignored
let timer;
let chosen; // the socket that the dialog asks about

async function look() {
  clearTimeout(timer);
  const own = ++turn;
  if (document.hidden || socket.state !== "connected") return;
  try {
    const seen = await socket.request({ type: "look", search: $("search").value.trim(), ...order });
    if (own !== turn) return;
    show(seen);
    complain();
  } catch (error) {
    if (own !== turn) return;
    if (error.code !== "offline") complain(error);
  }
  timer = setTimeout(look, PAUSE);
}

function complain(error) {
  $("problem").hidden = !error;
  if (error) write($("problem"), `${error.message.replace(/\.$/, "")}. This page goes on by itself.`);
  $("live").classList.toggle("stale", Boolean(error));
}

// -- What is shown: texts alone, since users choose their names and paths -----------------------------------

function show({ processes, sockets, matching }) {
  const total = processes.reduce((sum, { figures }) => sum + (figures.sockets ?? 0), 0);
  const answering = processes.filter((process) => process.silent_since === null).length;
  const where = `${count(total, "socket")} in ${count(answering, "process", "es")}`;
  write($("count"), $("search").value.trim() ? `${matching.toLocaleString()} of ${where}` : where);
  $("more").hidden = matching <= sockets.length;
  arrange($("processes"), "process", processes, showProcess);
  arrange($("sockets"), "socket", sockets, showSocket);
}

function showProcess(row, { host, pid, since, silent_since, figures }) {
  const silent = silent_since !== null;
  fill(row, {
    host,
    pid,
    sockets: number(figures.sockets),
    memory: figures.memory ? `${number(figures.memory / 2 ** 20)} MiB` : "",
    lag: "lag" in figures ? `${milliseconds(figures.lag)} / ${milliseconds(figures.lag_max)} ms` : "",
    events: figures.events?.toLocaleString([], { minimumFractionDigits: 1 }) ?? "",
    state: silent ? `no answer since ${time(silent_since)}` : figures.draining ? "draining" : "serving",
  });
  row.className = silent ? "silent" : figures.draining ? "draining" : "";
  showTime(row.querySelector("time"), iso(since));
}

function showSocket(row, info) {
  const { user, consumer, path, address, at, since, received, sent, backlog } = info;
  const numbers = { received: number(received), sent: number(sent), backlog: number(backlog) };
  fill(row, { user: user || "guest", consumer, path, address, at, ...numbers });
  row.classList.toggle("guest", !user);
  row.classList.toggle("slow", backlog > 0);
  showTime(row.querySelector("time"), iso(since));
  const button = row.querySelector(".end");
  button.setAttribute("aria-label", `Disconnect ${user || "guest"}, ${path}`);
  button.onclick = () => askAbout(info);
}

/** Make the rows of a table those of `items`, and leave alone those that are there, for the sake of the focus. */
function arrange(body, template, items, showItem) {
  const old = new Map([...body.children].map((row) => [row.dataset.id, row]));
  const focused = body.contains(document.activeElement) ? document.activeElement : undefined;
  items.forEach((item, place) => {
    const row = old.get(item.id) ?? fromTemplate(template);
    old.delete(item.id);
    row.dataset.id = item.id;
    showItem(row, item);
    if (body.children[place] !== row) body.insertBefore(row, body.children[place] ?? null);
  });
  old.forEach((row) => row.remove());
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

function fill(element, texts) {
  for (const [name, text] of Object.entries(texts)) {
    const field = element.querySelector(`[data-field=${name}]`);
    write(field, text);
    if (field.classList.contains("long")) field.title = text;
  }
}

function write(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

const iso = (seconds) => new Date(seconds * 1000).toISOString();
const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString();
const number = (value) => value?.toLocaleString([], { maximumFractionDigits: value < 10 ? 1 : 0 }) ?? "";
const milliseconds = (seconds) => number(seconds * 1000);
const count = (value, thing, plural = "s") => `${value.toLocaleString()} ${thing}${value === 1 ? "" : plural}`;

// -- What one can do -----------------------------------------------------------------------------------------

$("search").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, TYPING);
});
$("toolbar").addEventListener("submit", (event) => {
  event.preventDefault();
  look();
});

$("columns").addEventListener("click", ({ target }) => {
  const { sort } = target.dataset;
  if (!sort) return;
  const numeric = target.parentElement.classList.contains("number") || sort === "since";
  order.descending = order.sort === sort ? !order.descending : numeric;
  order.sort = sort;
  for (const column of $("columns").cells) column.removeAttribute("aria-sort");
  target.parentElement.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
  look();
});

function askAbout(info) {
  chosen = info;
  fill($("confirm"), { user: info.user || "guest", path: info.path, address: info.address });
  $("whole-user").hidden = info.user_id === null;
  $("confirm").returnValue = "";
  $("confirm").showModal();
}

$("confirm").addEventListener("close", async () => {
  const { id, process, user, user_id } = chosen;
  const requests = { socket: { type: "end_socket", process, socket: id }, user: { type: "end_user", user: user_id } };
  const request = requests[$("confirm").returnValue];
  if (!request) return;
  try {
    const { ended, silent } = await socket.request(request);
    const done = ended ? `Disconnected ${count(ended, "socket")} of ${user || "a guest"}.` : "It was gone already.";
    write($("done"), silent ? `${done} ${count(silent, "process", "es")} did not answer.` : done);
  } catch (error) {
    write($("done"), `Not disconnected: ${error.message}`);
  }
  look();
});

// -- When it is asked ------------------------------------------------------------------------------------------

socket.on("state", ({ state }) => {
  if (state === "connected") look();
  else $("live").classList.add("stale");
});
document.addEventListener("visibilitychange", look);
showState(socket, $("state"));
