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

/** Keep who reads the end of `content` there while it grows inside `log`, and leave alone who has scrolled up. The button
    `newer` leads back; it is hidden at the end. Returns whether the reader is `here`, and a function to `go` there. */
export function followEnd(log, content, newer) {
  const end = { here: true, go: () => (log.scrollTop = log.scrollHeight) };
  let position = 0;
  log.addEventListener("scroll", () => {
    const up = log.scrollTop < position;
    position = log.scrollTop;
    if (log.scrollHeight - position - log.clientHeight < 40) end.here = newer.hidden = true;
    else if (up) end.here = false; // what is new puts the end further away too, without anybody scrolling
  });
  const resized = new ResizeObserver(() => end.here && end.go());
  resized.observe(log);
  resized.observe(content);
  newer.addEventListener("click", end.go);
  return end;
}
