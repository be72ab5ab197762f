/* The page /dashboard/: figures, a chart of the one that is chosen, and the events. */

import { connect } from "../connect.js";
import { sendInPlace, showData, words } from "../events/events.js";
import { fromTemplate, showState, showTime } from "../ui.js";

const SPANS = [1, 2, 5].map((minutes) => minutes * 60_000); // ms that the chart goes back, as soon as there is enough
const LONGEST = SPANS.at(-1);
const MOST = 50; // events
const UNITS = { ms: " ms", mib: " MiB" }; // of figures whose name ends with it
const [WIDTH, HEIGHT] = [600, 160]; // of the chart, in its own units
const $ = (id) => document.getElementById(id);

const socket = connect("/ws/dashboard/", { ids: { dashboard_event: "event_id" } });
const series = new Map(); // name -> [[when, value], ...]: each change; null while there was no connection
let chosen;

// -- Figures ---------------------------------------------------------------------------------------------------

function showFigures(figures) {
  const now = Date.now();
  for (const [name, value] of Object.entries(figures)) {
    if (!series.has(name)) addFigure(name);
    const changes = series.get(name);
    changes.push([now, value]);
    while (changes[1]?.[0] < now - LONGEST) changes.shift(); // the first says how it was at the left edge
    write(find(name).querySelector(".value"), text(name, value));
  }
  draw();
}

function addFigure(name) {
  const item = fromTemplate("figure");
  const button = item.firstElementChild;
  button.dataset.name = name;
  button.querySelector(".label").textContent = label(name);
  button.addEventListener("click", () => choose(name));
  series.set(name, []);
  $("figures").append(item);
  if (!chosen) choose(name);
  else button.setAttribute("aria-pressed", "false");
}

function choose(name) {
  chosen = name;
  for (const button of $("figures").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.name === name));
  }
  draw();
}

const find = (name) => $("figures").querySelector(`[data-name="${CSS.escape(name)}"]`);
const unit = (name) => UNITS[name.split("_").at(-1)] ?? "";
const label = (name) => words(unit(name) ? name.replace(/_[^_]+$/, "") : name);
const text = (name, value) => value.toLocaleString([], { maximumFractionDigits: 2 }) + unit(name);

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// -- The chart: steps, since a figure is what it is until it changes ----------------------------------------------

function draw() {
  if (!chosen) return;
  const now = Date.now();
  const changes = series.get(chosen);
  const values = changes.map(([, value]) => value).filter((value) => value !== null);
  if (!values.length) return;
  const span = SPANS.find((span) => span >= now - changes[0][0]) ?? LONGEST;
  const top = roundUp(Math.max(...values));
  const x = (when) => round(Math.max(0, 1 - (now - when) / span) * WIDTH);
  const y = (value) => round((1 - Math.max(0, value) / top) * HEIGHT);
  let [line, area] = ["", ""];
  changes.forEach(([when, value], index) => {
    const until = changes[index + 1]?.[0] ?? now;
    if (value === null || until < now - span) return;
    line += `${line && changes[index - 1]?.[1] !== null ? "V" : `M${x(when)} `}${y(value)}H${x(until)}`;
    area += `M${x(when)} ${HEIGHT}V${y(value)}H${x(until)}V${HEIGHT}Z`;
  });
  $("chart").querySelector(".line").setAttribute("d", line);
  $("chart").querySelector(".area").setAttribute("d", area);
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => text(chosen, value));
  write($("charted"), label(chosen));
  write($("range"), low === high ? low : `${low} to ${high}`);
  write($("high"), text(chosen, top));
  const minutes = span === SPANS[0] ? "1 minute" : `${span / SPANS[0]} minutes`;
  write($("begin"), `${minutes} ago`);
  $("chart").setAttribute("aria-label", `${label(chosen)}, since ${minutes} ago: ${$("range").textContent}`);
}

/** The next of 1, 2, 5, 10, 20, 50, ... */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 1;
}

const round = (number) => Math.round(number * 10) / 10;

function breakOff() {
  for (const changes of series.values()) {
    if (changes.length && changes.at(-1)[1] !== null) changes.push([Date.now(), null]);
  }
}

// -- Events, newest first ------------------------------------------------------------------------------------------

function showEvent({ event_id, kind, data, created_at }) {
  const list = $("events");
  if (list.querySelector(`[data-id="${event_id}"]`)) return;
  const item = fromTemplate("event");
  item.dataset.id = event_id;
  item.querySelector(".kind").textContent = words(kind);
  showTime(item.querySelector("time"), created_at);
  showData(item.querySelector(".data"), data);
  const older = [...list.children].find((other) => Number(other.dataset.id) < event_id);
  list.insertBefore(item, older ?? null);
  while (list.children.length > MOST) list.lastElementChild.remove();
  $("empty").hidden = true;
}

socket.on("dashboard_snapshot", ({ figures, recent }) => {
  showFigures(figures);
  recent.forEach(showEvent);
});
socket.on("figures", ({ figures }) => showFigures(figures));
socket.on("dashboard_event", showEvent);
socket.on("state", ({ state }) => {
  $("live").classList.toggle("stale", state !== "connected");
  if (state !== "connected") breakOff();
});
showState(socket, $("state"));
sendInPlace($("test"));
setInterval(draw, 1000);
