import { Data, Kind } from "../events/Data";
import { Time } from "../ui";
import type { MentorEvent, StudentEvent } from "./mentoring";
import "./mentoring.css";

interface EventsProps {
  events: (MentorEvent | StudentEvent)[];
  since: number; // those after this id have come in since the page was loaded
  empty: string;
}

/** What a mentor or a student was told, newest first. */
export function Events({ events, since, empty }: EventsProps) {
  return (
    <>
      <ol className="events" id="events" aria-live="polite" aria-label="Events">
        {events.map(({ event_id, kind, data, created_at }) => (
          <li className={`card event ${event_id > since ? "new" : ""}`} key={event_id}>
            <p className="byline">
              <Kind kind={kind} /> <Time iso={created_at} />
            </p>
            <Data data={data} />
          </li>
        ))}
      </ol>
      {!events.length && (
        <p className="card empty" id="empty">
          {empty}
        </p>
      )}
    </>
  );
}

/** For `useFrames`: after too long an absence the page begins with the newest. */
export function startAnew({ type }: { type: string }) {
  if (type === "gap") location.reload();
}
