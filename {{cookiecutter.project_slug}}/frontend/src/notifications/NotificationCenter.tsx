import { useMemo, useState } from "react";
import { api, useData } from "../api";
import { useWebSocket } from "../realtime/useWebSocket";
import { Failure, Note, Status, Time, Title } from "../ui";
import { type Notice, notificationsSince, unread } from "./notifications";
import "./notifications.css";

export default function NotificationCenter() {
  const { data, error, reload } = useData<Notice[]>("/api/notifications/");
  if (error) return <Failure error={error} retry={reload} />;
  return data && <Live notices={data} />;
}

function Live({ notices }: { notices: Notice[] }) {
  const channel = useMemo(() => notificationsSince(notices), [notices]);
  const { value, state, reason, request } = useWebSocket("/ws/notifications/", channel);
  const [failure, setFailure] = useState("");
  const number = Math.max(value.waiting, unread(value.list));

  async function markRead({ notification_id }: Notice) {
    try {
      await request({ type: "mark_read", notification_id });
      setFailure("");
    } catch (error) {
      setFailure(`Not marked as read. ${(error as Error).message}`);
    }
  }

  async function test() {
    try {
      await api("/api/notifications/test/", {});
      setFailure("");
    } catch (error) {
      setFailure(`Not sent. ${(error as Error).message}`);
    }
  }

  return (
    <>
      <Title>{`${number ? `(${number}) ` : ""}Notifications`}</Title>
      <div className="bar">
        <h1>
          Notifications{" "}
          <span className="count" id="unread">
            {number || ""}
          </span>
        </h1>
        <Status state={state} reason={reason} />
      </div>
      <form className="bar" id="test" action={test}>
        <p className="muted">New ones appear here by themselves, in every window.</p>
        <button className="quiet">Send myself a test notification</button>
      </form>
      <Note text={failure} />
      <ol className={`notifications ${state}`} id="notifications" role="log" aria-label="Notifications">
        {value.list.map((notice) => (
          <li className={`card notification ${notice.read ? "" : "unread"}`} key={notice.notification_id}>
            <div>
              <p className="byline">
                <b className="kind">{notice.kind.replaceAll("_", " ")}</b> <Time iso={notice.created_at} />
              </p>
              <dl className="data">
                {Object.entries(notice.data).map(([key, datum]) => (
                  <div key={key}>
                    <dt>{key}</dt>
                    <dd>{typeof datum === "string" ? datum : JSON.stringify(datum)}</dd>
                  </div>
                ))}
              </dl>
            </div>
            <button className="quiet mark" onClick={() => markRead(notice)}>
              Mark as read
            </button>
          </li>
        ))}
      </ol>
      {!value.list.length && (
        <p className="card empty" id="empty">
          No notifications yet.
        </p>
      )}
    </>
  );
}
