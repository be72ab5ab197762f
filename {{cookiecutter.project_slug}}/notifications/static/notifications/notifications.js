import { connect } from "../connect.js";
import { fail, sendInPlace, showData, words } from "../events.js";
import { fromTemplate, showState, showTime } from "../ui.js";

const $ = (id) => document.getElementById(id);
const list = $("notifications");
const title = document.title;
const socket = connect("/ws/notifications/");
const unread = list.getElementsByClassName("unread");
let waiting = 0; // unread ones by the server's count; it sends the newest of them only
const find = (id) => list.querySelector(`[data-id="${id}"]`);

function count() {
  const number = Math.max(waiting, unread.length);
  $("unread").textContent = number || "";
  document.title = number ? `(${number}) ${title}` : title;
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
    setRead(item);
    fail();
  } catch (error) {
    fail(`Not marked as read. ${error.message}`);
  }
}

// Without an item it is one that is not listed.
function setRead(item) {
  if (item && !item.classList.contains("unread")) return;
  item?.classList.remove("unread");
  waiting--;
  count();
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
  return item;
}

// Each connection begins with what is unread: the rest has been read, here or on another device.
socket.on("connection_established", (frame) => {
  [...unread].forEach((item) => item.classList.remove("unread"));
  waiting = frame.unread;
  count();
});
socket.on("notification", (frame) => {
  const item = find(frame.notification_id) ?? newNotification(frame);
  item.classList.toggle("unread", !frame.read);
  count();
});
socket.on("notification_read", ({ notification_id }) => setRead(find(notification_id)));
socket.on("state", ({ state }) => (list.className = `notifications ${state}`));
showState(socket, $("state"));
sendInPlace($("test"));

[...list.children].forEach(dress);
count();
