import { useCallback, useEffect, useRef, useState } from "react";

const NEAR = 40; // pixels from the end that still count as there

/** Keep who reads the end of `content` there while it grows inside `log`, and leave alone who has scrolled up. Returns
    refs for both, whether the reader is `here`, and a function to `go` there. */
export function useEnd<L extends HTMLElement, C extends HTMLElement>() {
  const log = useRef<L>(null);
  const content = useRef<C>(null);
  const follows = useRef(true);
  const [here, setHere] = useState(true);
  const go = useCallback(() => log.current?.scrollTo(0, log.current.scrollHeight), []);
  useEffect(() => {
    const element = log.current;
    if (!element || !content.current) return;
    let position = element.scrollTop;
    const follow = (does: boolean) => {
      follows.current = does;
      setHere(does);
    };
    const scrolled = () => {
      const up = element.scrollTop < position;
      position = element.scrollTop;
      if (element.scrollHeight - position - element.clientHeight < NEAR) follow(true);
      else if (up) follow(false); // what is new puts the end further away too, without anybody scrolling
    };
    const resized = new ResizeObserver(() => follows.current && go());
    element.addEventListener("scroll", scrolled);
    resized.observe(element);
    resized.observe(content.current);
    return () => {
      element.removeEventListener("scroll", scrolled);
      resized.disconnect();
    };
  }, [go]);
  return { log, content, here, go };
}
