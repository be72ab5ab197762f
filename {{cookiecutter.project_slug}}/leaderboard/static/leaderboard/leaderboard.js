import { connect } from "../connect.js";
import { fromTemplate, showState } from "../ui.js";

const MOVE = 400; // milliseconds
const PATIENCE = 50; // changes that come before a snapshot is asked for again
const ASK_AGAIN = 10; // seconds between two questions for the own rank, while it is not in the table

const $ = (id) => document.getElementById(id);
const list = $("entries");
const me = Number($("standing").dataset.user);
const still = matchMedia("(prefers-reduced-motion: reduce)");
const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });
const rows = new Map([...list.children].map((row) => [Number(row.dataset.id), row]));
const socket = connect("/ws/leaderboard/");
let entries = new Map(); // by user id
let version; // none until a snapshot has come, and while one is awaited
let early = []; // changes that came meanwhile: they may be newer than the snapshot
let asked = 0; // when the own rank was asked for
let timer;

function write(row, { rank, user, score }) {
  const before = Number(row.dataset.score);
  Object.assign(row.dataset, { id: user.id, rank, score });
  row.classList.toggle("own", user.id === me);
  row.querySelector(".rank").textContent = rank;
  row.querySelector(".name").textContent = user.username;
  const shown = row.querySelector(".score");
  shown.textContent = number.format(score);
  if (before === score || Number.isNaN(before)) return;
  shown.className = `score ${score > before ? "up" : "down"}`;
  setTimeout(() => (shown.className = "score"), MOVE);
}

// First where the rows are, then the new order; each row that moved slides there from where it was (FLIP).
function show() {
  const before = new Map([...rows].map(([id, row]) => [id, row.getBoundingClientRect().top]));
  for (const [id, row] of rows) {
    if (!entries.has(id)) {
      row.remove();
      rows.delete(id);
    }
  }
  const order = [...entries.values()].sort((one, other) => one.rank - other.rank || one.user.id - other.user.id);
  order.forEach((entry, place) => {
    const row = rows.get(entry.user.id) ?? fromTemplate("entry");
    rows.set(entry.user.id, row);
    write(row, entry);
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
  $("empty").hidden = order.length > 0;
  if (still.matches || document.hidden) return;
  for (const [id, row] of rows) {
    const way = before.get(id) - row.getBoundingClientRect().top;
    if (way) row.animate({ transform: [`translateY(${way}px)`, "none"] }, { duration: MOVE, easing: "ease-out" });
    else if (!before.has(id)) row.animate({ opacity: [0, 1] }, { duration: MOVE });
  }
}

function showStanding({ rank, score }) {
  $("rank").textContent = rank ?? "–";
  $("score").textContent = score === null ? "–" : number.format(score);
}

// Who is in the table is read there; others ask, and not all of them whenever something changes.
function refreshStanding() {
  clearTimeout(timer);
  if (entries.has(me)) return showStanding(entries.get(me));
  const wait = asked + ASK_AGAIN * 1000 * (1 + Math.random()) - Date.now();
  timer = setTimeout(askStanding, Math.max(0, wait));
}

async function askStanding() {
  asked = Date.now();
  try {
    showStanding(await socket.request({ type: "my_rank" }));
  } catch {
    // without a connection; the next snapshot says it
  }
}

function change(frame) {
  if (version === undefined) {
    if (early.push(frame) === PATIENCE) ask();
    return;
  }
  if (frame.version <= version) return;
  if (frame.version > version + 1) return ask();
  version = frame.version;
  frame.removed.forEach((id) => entries.delete(id));
  frame.changed.forEach((entry) => entries.set(entry.user.id, entry));
  show();
  refreshStanding();
}

// A snapshot.
function expect() {
  version = undefined;
  early = [];
}

function ask() {
  expect();
  socket.send({ type: "snapshot" });
}

socket.on("leaderboard_snapshot", (frame) => {
  const newer = early;
  early = [];
  version = frame.version;
  entries = new Map(frame.entries.map((entry) => [entry.user.id, entry]));
  asked = Date.now();
  show();
  showStanding(frame.you);
  newer.forEach(change);
});
socket.on("leaderboard_changed", change);
socket.on("connection_established", expect); // a snapshot follows
showState(socket, $("state"));
