import { Suspense, useEffect, useRef } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { logIn } from "./api";
import { apps, MenuLink, pages } from "./apps";
import { Home } from "./Home";
import { useSite } from "./site";
import { Boundary, LogOut, Nowhere, Pending } from "./ui";

export function App() {
  const [location] = useLocation();
  const main = useArrival(location);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <main id="main" tabIndex={-1} ref={main}>
        <Boundary key={location}>
          <Suspense fallback={<Pending />}>
            <Switch>
              <Route path="/">
                <Home />
              </Route>
              {pages.map(({ path, component: Component }) => (
                <Route key={path} path={path}>
                  {(params) => (
                    <ForUsers>
                      <Component key={JSON.stringify(params)} params={params as Record<string, string>} />
                    </ForUsers>
                  )}
                </Route>
              ))}
              <Route>
                <Nowhere />
              </Route>
            </Switch>
          </Suspense>
        </Boundary>
      </main>
    </>
  );
}

/** Begin another page as a browser would: at its top, and with what a screen reader reads there. */
function useArrival(location: string) {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(location);
  useEffect(() => {
    if (shown.current === location) return;
    shown.current = location;
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [location]);
  return main;
}

function Header() {
  const { name, nav, user, sign_up } = useSite();
  const [location] = useLocation();
  return (
    <header>
      <Link className="brand" href="/">
        <img src="/static/favicon.svg" alt="" width="28" height="28" /> <span>{name}</span>
      </Link>
      <nav aria-label="Main">
        {nav.map(({ url, label }) => (
          <MenuLink key={url} href={url} aria-current={location.startsWith(url) ? "page" : undefined}>
            {label}
          </MenuLink>
        ))}
      </nav>
      <div className="account">
        {user ? (
          <>
            {apps.map(([name, { Header }]) => Header && <Header key={name} />)}
            <a href="/accounts/password_change/" title="Change your password">
              {user.username}
            </a>
            <LogOut>
              <button className="quiet">Log out</button>
            </LogOut>
          </>
        ) : (
          <>
            {sign_up && <a href="/accounts/sign-up/">Sign up</a>}
            <a href="/accounts/login/">Log in</a>
          </>
        )}
      </div>
    </header>
  );
}

function ForUsers({ children }: { children: React.ReactNode }) {
  const { user } = useSite();
  useEffect(() => {
    if (!user) logIn();
  }, [user]);
  return user && children;
}
