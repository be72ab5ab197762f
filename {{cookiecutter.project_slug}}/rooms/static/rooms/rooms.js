/* Making a room, and what its host sees to. */

import { showTime } from "../ui.js";

document.querySelectorAll("main time").forEach((time) => showTime(time));

// Times are entered by the reader's own clock. Those that come from the server are in UTC, unless it sends back
// what was entered, with its zone.
const zone = document.querySelector('[name="time_zone"]');
if (zone) {
  if (!zone.defaultValue) {
    for (const input of document.querySelectorAll('[type="datetime-local"]')) input.value = local(input.defaultValue);
  }
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.getElementById("zone").textContent = `Times are in your time zone, ${zone.value}.`;
}

function local(time) {
  if (!time) return "";
  const date = new Date(`${time}Z`);
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

// Copying needs HTTPS.
const copy = document.getElementById("copy");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("link").value);
    copy.textContent = "Copied";
  });
}
