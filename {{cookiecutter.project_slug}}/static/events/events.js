/* What pages that list events share: what an event holds, and a form that is sent without leaving the page. */

import { fromTemplate } from "../ui.js";

const PATIENCE = 10_000; // ms that an answer may take

/** "grade_received" becomes "grade received". */
export const words = (kind) => kind.replaceAll("_", " ");

/** Show what an event holds in a `<dl>`, a copy of `<template id="datum">` for each field. */
export function showData(list, data) {
  list.replaceChildren(...Object.entries(data).map(newDatum));
}

function newDatum([key, value]) {
  const datum = fromTemplate("datum");
  datum.querySelector("dt").textContent = key;
  datum.querySelector("dd").textContent = typeof value === "string" ? value : JSON.stringify(value);
  return datum;
}

/** Say in `#failure` what went wrong, or that nothing is wrong any more. */
export function fail(text = "") {
  const failure = document.getElementById("failure");
  failure.textContent = text;
  failure.hidden = !text;
}

/** Send a form from the page, where one sees what was sent come in through the socket. It works without this, too. */
export function sendInPlace(form) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { action, method } = form;
    const options = { method, body: new FormData(form), redirect: "manual", signal: AbortSignal.timeout(PATIENCE) };
    button.disabled = true;
    try {
      const { status } = await fetch(action, options);
      if (status < 400) form.reset();
      fail(status < 400 ? "" : "Not sent. Reload the page and try again.");
    } catch {
      fail("Not sent. The server did not answer.");
    }
    button.disabled = false;
  });
}
