import { Link } from "wouter";
import { type ApiError, csrfToken } from "../api";
import { Failure, Title } from "../ui";

/** In place of a page that could not be loaded: why, and what to do about it. */
export function NoPage({ error, retry }: { error: ApiError; retry: () => void }) {
  if (error.status !== 403 && error.status !== 404) return <Failure error={error} retry={retry} />;
  const next = encodeURIComponent(location.pathname).replaceAll("%2F", "/");
  const home = (
    <Link className="button" href="/">
      Go to the home page
    </Link>
  );
  return error.status === 403 ? (
    <section className="hero">
      <Title>Not allowed</Title>
      <h1>Not allowed</h1>
      <p>Your account may not see this page.</p>
      <form className="bar" method="post" action="/accounts/logout/">
        <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
        <input type="hidden" name="next" value={`/accounts/login/?next=${next}`} />
        {home}
        <button className="quiet">Log in as somebody else</button>
      </form>
    </section>
  ) : (
    <section className="hero">
      <Title>Not found</Title>
      <h1>Nothing here</h1>
      <p>This page does not exist, or not any more.</p>
      <p>{home}</p>
    </section>
  );
}
