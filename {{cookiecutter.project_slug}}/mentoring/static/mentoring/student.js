import { fail, follow } from "./events.js";

const form = document.getElementById("write");
follow("student_event");

// Without this the form works too; with it one sees what was sent come in through the socket.
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { action, method } = form;
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const { status } = await fetch(action, { method, body: new FormData(form), redirect: "manual" });
    if (status < 400) form.reset();
    fail(status < 400 ? "" : "Not sent. Reload the page and try again.");
  } catch {
    fail("Not sent. The server did not answer.");
  }
  button.disabled = false;
});
