/* What the live pages share. */

/** Return a copy of the one element inside `<template id="...">`. */
export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Write a `<time>` in the reader's own time zone and words; `iso` is an ISO 8601 date and time. */
export function showTime(element, iso = element.dateTime) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  element.dateTime = iso;
  element.title = date.toLocaleString();
  element.textContent = date.toLocaleString([], today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** Keep `element` showing the state of the connection. */
export function showState(socket, element) {
  const show = ({ state, reason }) => {
    element.dataset.state = state;
    element.textContent = reason ?? state[0].toUpperCase() + state.slice(1);
  };
  socket.on("state", show);
  show(socket);
}
