/* Who waits before the room, for its host to admit or to refuse. */

import { fromTemplate } from "../ui.js";
import { showAvatar } from "./avatar.js";

export function showWaiting(socket) {
  const section = document.getElementById("waiting");
  const [title, list] = section.children;

  function guest(user) {
    const item = fromTemplate("guest");
    const [admit, refuse] = item.querySelectorAll("button");
    showAvatar(item.querySelector(".avatar"), user);
    item.querySelector(".name").textContent = user.username;
    for (const [button, type] of [[admit, "admit"], [refuse, "refuse"]]) {
      button.setAttribute("aria-label", `${button.textContent} ${user.username}`);
      button.addEventListener("click", () => socket.send({ type, user_id: user.id }));
    }
    return item;
  }

  socket.on("waiting", ({ users }) => {
    section.hidden = users.length === 0;
    title.textContent = `${users.length} ${users.length === 1 ? "person waits" : "people wait"} to come in`;
    list.replaceChildren(...users.map(guest));
  });
  socket.on("connection_established", () => (section.hidden = true)); // who waits now is told next
}
