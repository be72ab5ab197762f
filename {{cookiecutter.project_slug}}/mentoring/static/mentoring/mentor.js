import { fromTemplate } from "../ui.js";
import { dress, follow, show } from "./follow.js";

const $ = (id) => document.getElementById(id);
const students = $("students");
const socket = follow("mentor_event");
const find = (id) => students.querySelector(`[data-id="${id}"]`);

function newStudent({ id, username }) {
  const card = fromTemplate("student");
  const link = card.querySelector("a");
  card.dataset.id = id;
  link.textContent = username;
  link.setAttribute("href", link.getAttribute("href").replace("/0/", `/${id}/`));
  return card;
}

// Older news than what is shown may come in after it.
function showNewest(card, newest) {
  if (!newest || newest.event_id <= Number(card.dataset.newest)) return card;
  card.dataset.newest = newest.event_id;
  show(card, newest);
  return card;
}

socket.on("mentor_snapshot", (frame) => {
  const cards = frame.students.map(({ student, newest }) => showNewest(find(student.id) ?? newStudent(student), newest));
  students.replaceChildren(...cards);
  $("count").textContent = cards.length;
  $("nobody").hidden = cards.length > 0;
});
socket.on("student_news", ({ student, newest }) => {
  const card = find(student.id);
  if (card) students.prepend(showNewest(card, newest));
});

[...students.children].forEach(dress);
