import { useCallback, useEffect, useRef, useState } from "react";

/** Keep who reads the end of `content` there while it grows inside `log`, and leave alone who has scrolled up.

    `newer` says that something came, by `newest`, which they do not see; `go` leads there. */
export function useEnd(newest: number | undefined) {
  const log = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLOListElement>(null);
  const here = useRef(true);
  const [newer, setNewer] = useState(false);

  const go = useCallback(() => {
    here.current = true;
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  }, []);

  useEffect(() => {
    const element = log.current;
    if (!element || !content.current) return;
    let position = 0;
    const look = () => {
      const up = element.scrollTop < position;
      position = element.scrollTop;
      if (element.scrollHeight - position - element.clientHeight < 40) {
        here.current = true;
        setNewer(false);
      } else if (up) here.current = false; // what is new puts the end further away too, without anybody scrolling
    };
    const resized = new ResizeObserver(() => here.current && go());
    element.addEventListener("scroll", look);
    resized.observe(element);
    resized.observe(content.current);
    return () => {
      element.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, [go]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: it is about when the newest one changes
  useEffect(() => setNewer(!here.current), [newest]);

  return { log, content, newer, go };
}
