import { createContext, type ReactNode, useContext } from "react";
import { useData } from "./api";
import { openByTicket, share } from "./realtime/connect";
import { Failure, Loading } from "./ui";

export interface User {
  id: number;
  username: string;
  is_staff: boolean;
}

export interface Link {
  url: string;
  label: string;
  description: string;
}

export interface Site {
  name: string;
  description: string;
  debug: boolean;
  sign_up: boolean;
  ws_auth: "cookie" | "ticket";
  ws_share: "no" | "page" | "browser";
  user: User | null;
  nav: Link[];
  endpoints: Link[];
}

const Context = createContext<Site | undefined>(undefined);

/** Load what every page shows before there is a page. */
export function SiteProvider({ children }: { children: ReactNode }) {
  const { data, error, reload } = useData<Site>("/api/site/");
  if (error) return <Failure error={error} retry={reload} />;
  if (!data) return <Loading />;
  openByTicket(data.ws_auth === "ticket");
  share(data.ws_share, data.user?.id ?? null);
  return <Context value={data}>{children}</Context>;
}

export function useSite(): Site {
  const site = useContext(Context);
  if (!site) throw new Error("useSite() needs a SiteProvider around it.");
  return site;
}

/** Who is logged in, on pages for users. */
export function useUser(): User {
  const { user } = useSite();
  if (!user) throw new Error("This page is for users.");
  return user;
}
