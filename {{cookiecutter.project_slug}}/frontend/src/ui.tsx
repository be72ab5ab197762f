import { type ReactNode, useEffect } from "react";
import type { State } from "./realtime/realtime.js";
import { useSite } from "./site";

/** Name the page in the window's title, for as long as this is shown. */
export function Title({ children }: { children: string }) {
  const { name } = useSite();
  useEffect(() => {
    document.title = `${children} · ${name}`;
  }, [children, name]);
  return null;
}

/** The state of a connection, as every live page shows it. */
export function Status({ state, reason }: { state: State; reason?: string | undefined }) {
  const text = reason ?? state[0]?.toUpperCase() + state.slice(1);
  return (
    <span className="state" id="state" role="status" data-state={state}>
      {text}
    </span>
  );
}

/** A time in the reader's own time zone and words; `iso` is an ISO 8601 date and time. */
export function Time({ iso }: { iso: string }) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  const options: Intl.DateTimeFormatOptions = {
    timeStyle: "short",
    ...(today ? {} : { dateStyle: "medium" }),
  };
  return (
    <time dateTime={iso} title={date.toLocaleString()}>
      {date.toLocaleString([], options)}
    </time>
  );
}

/** What went wrong, and a way to try again if there is one. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }): ReactNode {
  return (
    <p className="note" role="alert">
      {error.message} {retry && <button onClick={retry}>Try again</button>}
    </p>
  );
}

/** A note of a failure in the middle of a page; it is there, and empty, while nothing is wrong. */
export function Note({ text }: { text: string }) {
  return (
    <p className="note" id="failure" role="alert" hidden={!text}>
      {text}
    </p>
  );
}
