import { Component, type ComponentProps, type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { ApiError, csrfToken, loginPath } from "./api";
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

/** Instead of a page whose data is on its way, or did not come. */
export function Pending({ error, retry }: { error?: Error; retry?: () => void }) {
  if (!error) return <Loading />;
  if (error instanceof ApiError && error.status === 403) return <NotAllowed />;
  if (error instanceof ApiError && error.status === 404) return <Nowhere />;
  return <Failure error={error} retry={retry} />;
}

/** It is seen only after half a second, so that what comes sooner does not flicker. */
export function Loading() {
  return (
    <p className="loading muted" role="status">
      Loading
    </p>
  );
}

/** What went wrong, and a way to try again if there is one; it needs nothing that may be what is missing. */
export function Failure({ error, retry }: { error: Error; retry?: (() => void) | undefined }) {
  return (
    <p className="note" role="alert">
      {error.message} {retry && <button onClick={retry}>Try again</button>}
    </p>
  );
}

/** Shows what went wrong in place of what is in it, if that throws; React would take away the whole page. */
export class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    return error ? <Failure error={error} retry={() => location.reload()} /> : this.props.children;
  }
}

/** A note of a failure in the middle of a page; it is there, and empty, while nothing is wrong. */
export function Note({ text }: { text: string }) {
  return (
    <p className="note" id="failure" role="alert" hidden={!text}>
      {text}
    </p>
  );
}

/** Instead of a page that this user may not see. */
export function NotAllowed() {
  return (
    <section className="hero">
      <Title>Not allowed</Title>
      <h1>Not allowed</h1>
      <p>Your account may not see this page.</p>
      <LogOut className="bar" next={loginPath()}>
        <Link className="button" href="/">
          Go to the home page
        </Link>
        <button className="quiet">Log in as somebody else</button>
      </LogOut>
    </section>
  );
}

/** The form that logs out; `next` is where that leads, if not to the page that says so. */
export function LogOut({ next, children, ...form }: ComponentProps<"form"> & { next?: string }) {
  const token = useRef<HTMLInputElement>(null);
  // Not before: a login in another tab makes a new one.
  const fill = () => {
    if (token.current) token.current.value = csrfToken();
  };
  return (
    <form method="post" action="/accounts/logout/" onSubmit={fill} {...form}>
      <input type="hidden" name="csrfmiddlewaretoken" ref={token} />
      {next && <input type="hidden" name="next" value={next} />}
      {children}
    </form>
  );
}

/** Instead of a page that is not there. */
export function Nowhere() {
  const [location] = useLocation();
  return (
    <section className="hero">
      <Title>Not found</Title>
      <h1>Nothing here</h1>
      <p>
        <code>{location}</code> does not exist, or not any more.
      </p>
      <p>
        <Link className="button" href="/">
          Go to the home page
        </Link>
      </p>
    </section>
  );
}

/** A function that tries something, and what went wrong the last time; nothing once it has worked. */
export function useAttempt() {
  const [failure, setFailure] = useState("");

  async function attempt(something: () => Promise<unknown>, otherwise: string): Promise<boolean> {
    try {
      await something();
      setFailure("");
      return true;
    } catch (error) {
      setFailure(`${otherwise} ${(error as Error).message}`);
      return false;
    }
  }

  return { failure, attempt };
}
