import { useEffect, useRef, useState } from "react";
import { useFrames } from "../realtime/useWebSocket";
import { type Person, type RoomPath, say } from "./room";

const LASTS = 5000; // ms that somebody is believed to be typing

/** Who is typing in a room, in words. */
export function useTyping(path: RoomPath): string {
  const [writers, setWriters] = useState<Person[]>([]);
  const timers = useRef(new Map<Person["id"], ReturnType<typeof setTimeout>>());

  function set(user: Person, active: boolean) {
    clearTimeout(timers.current.get(user.id));
    timers.current.delete(user.id);
    if (active)
      timers.current.set(
        user.id,
        setTimeout(() => set(user, false), LASTS),
      );
    setWriters((writers) => {
      const others = writers.filter(({ id }) => id !== user.id);
      if (active) return [...others, user];
      return others.length < writers.length ? others : writers;
    });
  }

  useFrames(path, (frame) => {
    if (frame.type === "typing") set(frame.user, frame.active);
    else if (frame.type === "chat_message") set(frame.sender, false);
    else if (frame.type === "presence") set(frame.user, false);
  });

  useEffect(() => {
    const running = timers.current;
    return () => {
      for (const timer of running.values()) clearTimeout(timer);
    };
  }, []);

  return say(writers, "typing");
}
