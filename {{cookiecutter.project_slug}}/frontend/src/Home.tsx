import { useEffect } from "react";
import { MenuLink } from "./apps";
import { useSite } from "./site";

export function Home() {
  const { name, description, nav, endpoints, user, debug } = useSite();
  useEffect(() => {
    document.title = name;
  }, [name]);
  return (
    <>
      <section className="hero">
        <h1>{name}</h1>
        {user ? (
          <p>
            Welcome, {user.username}.{nav.length > 0 && " Open a page in two windows and watch them talk."}
          </p>
        ) : (
          <>
            <p>{description}</p>
            <p>
              <a className="button" href="/accounts/login/">
                Log in
              </a>
            </p>
          </>
        )}
      </section>
      <ul className="cards">
        {nav.map(({ url, label, description }) => (
          <li className="card" key={url}>
            <h2>
              <MenuLink href={url}>{label}</MenuLink>
            </h2>
            <p>{description}</p>
          </li>
        ))}
      </ul>
      {(debug || user?.is_staff) && (
        <>
          <h2>For developers</h2>
          <dl className="endpoints">
            {endpoints.map(({ url, label, description }) => (
              <div key={url}>
                <dt>
                  <a href={url}>{label}</a>
                </dt>
                <dd>{description}</dd>
              </div>
            ))}
            {user?.is_staff && (
              <div>
                <dt>
                  <a href="/admin/">Admin</a>
                </dt>
                <dd>users, and everything else in the database</dd>
              </div>
            )}
          </dl>
        </>
      )}
      {debug && (
        <p className="muted">
          This page is <code>frontend/src/Home.tsx</code>. Make it yours.
        </p>
      )}
    </>
  );
}
