import { type ReactNode, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { ApiError, csrfToken } from "./api";
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

/** What went wrong when a page was loaded, and a way to try again if there is one. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }): ReactNode {
  if (error instanceof ApiError && error.status === 403) return <NotAllowed />;
  if (error instanceof ApiError && error.status === 404) return <Nowhere />;
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

/** Instead of a page that this user may not see. */
export function NotAllowed() {
  const [location] = useLocation();
  return (
    <section className="hero">
      <Title>Not allowed</Title>
      <h1>Not allowed</h1>
      <p>Your account may not see this page.</p>
      <form className="bar" method="post" action="/accounts/logout/">
        <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
        <input type="hidden" name="next" value={`/accounts/login/?next=${encodeURI(location)}`} />
        <Link className="button" href="/">
          Go to the home page
        </Link>
        <button className="quiet">Log in as somebody else</button>
      </form>
    </section>
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

/** A field of a form, as Django's `as_div` writes it; `errors` are those of an `ApiError`. */
export function Field({ label, name, errors, ...input }: FieldProps) {
  const invalid = Boolean(errors?.length);
  return (
    <div>
      <label htmlFor={`id_${name}`}>{label}:</label>
      {invalid && (
        <ul className="errorlist" id={`id_${name}_error`}>
          {errors?.map((error) => (
            <li key={error}>{error}</li>
          ))}
        </ul>
      )}
      <input
        id={`id_${name}`}
        name={name}
        aria-invalid={invalid || undefined}
        aria-describedby={invalid ? `id_${name}_error` : undefined}
        {...input}
      />
    </div>
  );
}

interface FieldProps extends React.ComponentProps<"input"> {
  label: string;
  name: string;
  errors?: string[] | undefined;
}
