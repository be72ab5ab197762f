/* Before a room that is not open yet, or whose host lets people in. */

import { connect } from "../connect.js";
import { showState, showTime } from "../ui.js";

const LONGEST = 2 ** 31 - 1; // ms that a timer can take
const door = document.querySelector(".door");
const { room, opens } = door.dataset;

const hint = document.getElementById("hint");

if (room) {
  const socket = connect(`/ws/rooms/${room}/`);
  showState(socket, document.getElementById("state"));
  socket.on("connection_established", ({ waiting }) => waiting || location.reload());
  socket.on("admitted", () => location.reload());
  socket.on("state", ({ state }) => (hint.hidden = state === "closed"));
} else {
  door.querySelectorAll("time").forEach((time) => showTime(time));
  hint.textContent = "These times are by your own clock.";
  const left = new Date(opens) - Date.now();
  if (left > 0) hint.textContent += " The page opens the room when it begins.";
  if (left > 0 && left < LONGEST) setTimeout(() => location.reload(), left + 1000 + Math.random() * 4000); // not all at once
}
