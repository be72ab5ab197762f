/* The socket of a user's own submissions and jobs, and what its frames mean. */

import { connect } from "../connect.js";
import { showState } from "../ui.js";

const ORDER = ["queued", "running", "judged", "done"];

export const words = (name) => name.replaceAll("_", " ");
export const socket = connect("/ws/problems/");
showState(socket, document.getElementById("state"));

/** Whether a frame tells of something later than another one; what was sent first may come in after a snapshot. */
export function isNewer(frame, other) {
  if (!other || frame.attempt !== other.attempt) return !other || frame.attempt > other.attempt;
  const later = ORDER.indexOf(frame.state) - ORDER.indexOf(other.state);
  return later > 0 || (later === 0 && (frame.passed ?? 0) >= (other.passed ?? 0));
}

/** Call `show` for what each of the user's submissions, or jobs, is now: with `key`, the field that names it. */
export function follow(list, type, key, show) {
  const known = new Map();
  const take = (frame) => {
    if (!isNewer(frame, known.get(frame[key]))) return;
    known.set(frame[key], frame);
    show(frame);
  };
  socket.on("problems_snapshot", (frame) => frame[list].forEach(take));
  socket.on(type, take);
}

/** Say in `#failure` what went wrong, or that nothing is wrong any more. */
export function fail(text = "") {
  const failure = document.getElementById("failure");
  failure.textContent = text;
  failure.hidden = !text;
}

/** Send a frame by a button; returns the reply, or nothing if it was refused, which is said. */
export async function ask(button, frame) {
  button.disabled = true;
  try {
    const reply = await socket.request(frame);
    fail();
    return reply;
  } catch (error) {
    fail(error.message);
  } finally {
    button.disabled = false;
  }
}
