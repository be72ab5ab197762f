import { api, useData } from "../api";
import { Data, Kind } from "../events/Data";
import { useWebSocket } from "../realtime/useWebSocket";
import { Note, Pending, Status, Time, Title, useAttempt } from "../ui";
import { type Notice, notifications, PATH, withLoaded } from "./notifications";
import "./notifications.css";

/** The page of notifications; it shares its socket with the bell in the header. */
export default function NotificationCenter() {
  const { data, error, reload } = useData<Notice[]>("/api/notifications/");
  if (!data) return <Pending error={error} retry={reload} />;
  return <Notifications loaded={data} />;
}

function Notifications({ loaded }: { loaded: Notice[] }) {
  const { value, state, reason, request } = useWebSocket(PATH, notifications);
  const { failure, attempt } = useAttempt();
  const list = withLoaded(value, loaded);
  const unread = value.known ? value.unread : list.filter(({ read }) => !read).length;

  function markRead({ notification_id }: Notice) {
    return attempt(() => request({ type: "mark_read", notification_id }), "Not marked as read.");
  }

  async function test() {
    await attempt(() => api("/api/notifications/test/", {}), "Not sent.");
  }

  return (
    <>
      <Title>{`${unread ? `(${unread}) ` : ""}Notifications`}</Title>
      <div className="bar">
        <h1>
          Notifications{" "}
          <span className="count" id="unread">
            {unread || ""}
          </span>
        </h1>
        <Status state={state} reason={reason} />
      </div>
      <form className="bar" id="test" action={test}>
        <p className="muted">New ones appear here by themselves, in every window.</p>
        <button className="quiet">Send myself a test notification</button>
      </form>
      <Note text={failure} />
      <ol
        className={`notifications ${state}`}
        id="notifications"
        aria-live="polite"
        aria-label="Notifications"
      >
        {list.map((notice) => (
          <li className={`card notification ${notice.read ? "" : "unread"}`} key={notice.notification_id}>
            <div>
              <p className="byline">
                <Kind kind={notice.kind} /> <Time iso={notice.created_at} />
              </p>
              <Data data={notice.data} />
            </div>
            <button className="quiet mark" onClick={() => markRead(notice)}>
              Mark as read
            </button>
          </li>
        ))}
      </ol>
      {!list.length && (
        <p className="card empty" id="empty">
          No notifications yet.
        </p>
      )}
    </>
  );
}
