import { Link } from "wouter";
import { useWebSocket } from "../realtime/useWebSocket";
import { notifications, PATH } from "./notifications";
import "./notifications.css";

/** How many notifications are unread, in the header of each page. */
export function Bell() {
  const { unread } = useWebSocket(PATH, notifications).value;
  return (
    <Link className="bell" href="/notifications/" aria-label={`Notifications: ${unread || "nothing"} unread`}>
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 20.5a2 2 0 0 0 4 0" />
      </svg>
      <span className="count">{unread || ""}</span>
    </Link>
  );
}
