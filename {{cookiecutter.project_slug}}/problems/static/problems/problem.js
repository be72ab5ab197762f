import { fromTemplate, showTime } from "../ui.js";
import { ask, follow, words } from "./live.js";

const MOST = 50; // submissions that the page shows

const $ = (id) => document.getElementById(id);
const form = $("program");
const code = $("code");
const list = $("submissions");
const { problem } = form.dataset;
const cards = new Map();
let solving; // the job that is shown
let leaving = false; // Escape was pressed, so Tab leaves the field

function show(submission) {
  if (submission.problem !== problem) return;
  const { submission_id, state, verdict, passed, total, detail, created_at } = submission;
  const card = cards.get(submission_id) ?? fromTemplate("submission");
  if (!cards.has(submission_id)) {
    cards.set(submission_id, card);
    list.prepend(card);
    if (list.children.length > MOST) list.lastElementChild.remove();
  }
  const said = card.querySelector(".verdict");
  if (state === "judged" && said.textContent) $("told").textContent = `Your program: ${words(verdict)}.`;
  said.textContent = words(verdict || state);
  said.dataset.verdict = verdict || state;
  card.querySelector(".tests").textContent = total ? `${passed} of ${total} tests` : "";
  const bar = card.querySelector("progress");
  bar.max = total || 1;
  bar.value = passed;
  bar.hidden = state === "judged";
  card.querySelector(".detail").textContent = detail;
  showTime(card.querySelector("time"), created_at);
  $("empty").hidden = true;
}

function tell(job) {
  if (job.kind !== "solve" || job.problem !== problem) return;
  if (job.state !== "done") solving = job.job_id;
  if (job.job_id !== solving) return; // what failed some other day is no news
  const said = { queued: "A model is asked for a solution.", running: "A model writes a solution.", done: "" };
  $("told").textContent = job.error ? job.detail : said[job.state];
}

follow("submissions", "submission_changed", "submission_id", show);
follow("jobs", "job_changed", "job_id", tell);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(event.submitter ?? form.querySelector("button"), { type: "submit", problem, code: code.value });
});
$("solve").addEventListener("click", ({ target }) => ask(target, { type: "solve", problem }));
code.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  if (event.key === "Tab" && !event.shiftKey && !leaving) {
    event.preventDefault();
    code.setRangeText("    ", code.selectionStart, code.selectionEnd, "end");
  }
  leaving = event.key === "Escape";
});
