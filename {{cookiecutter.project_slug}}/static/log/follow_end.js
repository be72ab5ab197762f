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
