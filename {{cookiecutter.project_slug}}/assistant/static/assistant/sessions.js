import { showTime } from "../ui.js";

document.querySelectorAll("main time").forEach((time) => showTime(time));

for (const form of document.querySelectorAll("[data-confirm]")) {
  form.addEventListener("submit", (event) => confirm(form.dataset.confirm) || event.preventDefault());
}
