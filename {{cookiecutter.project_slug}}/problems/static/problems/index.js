import { ask, follow } from "./live.js";

const form = document.getElementById("extract");
const told = document.getElementById("told");
let asked; // the job that is shown

if (form) {
  follow("jobs", "job_changed", "job_id", (job) => {
    if (job.kind === "extract" && job.state !== "done") asked ??= job.job_id;
    if (job.job_id !== asked) return;
    told.textContent = job.error ? job.detail : { queued: "It is to be read.", running: "It is being read." }[job.state];
    if (job.state === "done" && !job.error) location.assign(`${location.pathname}${job.problem}/`);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { url, difficulty } = form.elements;
    const frame = { type: "extract", url: url.value, difficulty_rating: Number(difficulty.value) };
    const reply = await ask(form.querySelector("button"), frame);
    if (reply) asked = reply.job_id;
  });
}
