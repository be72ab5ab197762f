import { connect } from "../connect.js";
import { fail, sendInPlace, showData, words } from "../events/events.js";
import { fromTemplate, showState, showTime } from "../ui.js";

const MOST = 200; // notifications that a page keeps
const $ = (id) => document.getElementById(id);
const list = $("notifications");
const title = document.title;
const socket = connect("/ws/notifications/");
let unread = list.getElementsByClassName("unread").length; // by the server's count; it sends the newest ones only
let newest = 0; // the last id that is counted
const find = (id) => list.querySelector(`[data-id="${id}"]`);

function count() {
  $("unread").textContent = unread || "";
  document.title = unread ? `(${unread}) ${title}` : title;
  $("empty").hidden = list.children.length > 0;
}

// "grade_received" -> "grade received", the time in local words, and a button that works.
function dress(item) {
  const kind = item.querySelector(".kind");
  kind.textContent = words(kind.textContent);
  showTime(item.querySelector("time"));
  item.querySelector(".mark").addEventListener("click", () => markRead(item));
}

async function markRead(item) {
  try {
    await socket.request({ type: "mark_read", notification_id: Number(item.dataset.id) });
    fail();
  } catch (error) {
    fail(`Not marked as read. ${error.message}`);
  }
}

function newNotification({ notification_id, kind, data, created_at }) {
  const item = fromTemplate("notification");
  item.dataset.id = notification_id;
  item.querySelector(".kind").textContent = kind;
  item.querySelector("time").dateTime = created_at;
  showData(item.querySelector(".data"), data);
  dress(item);
  const older = [...list.children].find((other) => Number(other.dataset.id) < notification_id);
  list.insertBefore(item, older ?? null); // newest first
  if (list.children.length > MOST) list.lastElementChild.remove();
  return item;
}

// Each connection begins with what is unread: the rest has been read, here or on another device.
socket.on("connection_established", (frame) => {
  for (const item of list.children) item.classList.remove("unread");
  ({ unread, newest } = frame);
  count();
});
socket.on("notification", (frame) => {
  const item = find(frame.notification_id) ?? newNotification(frame);
  item.classList.toggle("unread", !frame.read);
  if (frame.notification_id > newest && !frame.read) unread++;
  newest = Math.max(newest, frame.notification_id);
  count();
});
socket.on("notification_read", ({ notification_id }) => {
  find(notification_id)?.classList.remove("unread");
  unread = Math.max(unread - 1, 0);
  count();
});
socket.on("state", ({ state }) => (list.className = `notifications ${state}`));
showState(socket, $("state"));
sendInPlace($("test"));

[...list.children].forEach(dress);
count();
