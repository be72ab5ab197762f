/* What the pages of mentors and students share: a list of events, newest first, that goes on by itself. */

import { connect } from "../connect.js";
import { showData, words } from "../events/events.js";
import { fromTemplate, showState, showTime } from "../ui.js";

const MOST = 200; // events that a page keeps
const $ = (id) => document.getElementById(id);
const list = $("events");

/** Follow the events of the page's person, which are frames of this type; returns the socket. */
export function follow(type) {
  const { path, since } = list.dataset;
  const socket = connect(path, { since: Number(since), ids: { [type]: "event_id" } });
  socket.on(type, (frame) => {
    list.prepend(newEvent(frame));
    if (list.children.length > MOST) list.lastElementChild.remove();
    $("empty").hidden = true;
  });
  socket.on("gap", () => location.reload()); // too much was missed: the page begins with the newest
  showState(socket, $("state"));
  return socket;
}

function newEvent(frame) {
  const item = fromTemplate("event");
  item.dataset.id = frame.event_id;
  item.classList.add("new");
  show(item, frame);
  return item;
}

/** Write kind, time and data of an event into an element. */
export function show(element, { kind, data, created_at }) {
  element.querySelector(".kind").textContent = words(kind);
  showTime(element.querySelector("time"), created_at);
  showData(element.querySelector(".data"), data);
}

/** What the server has written: "grade_received" becomes "grade received", and the time one in local words. */
export function dress(element) {
  const kind = element.querySelector(".kind");
  kind.textContent = words(kind.textContent);
  const time = element.querySelector("time");
  if (time.dateTime) showTime(time);
}

[...list.children].forEach(dress);
