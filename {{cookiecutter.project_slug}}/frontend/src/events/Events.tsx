import { Time } from "../ui";
import { Data, Kind } from "./Data";

interface Event {
  event_id: number;
  kind: string;
  data: Record<string, unknown>;
  created_at: string;
}

interface EventsProps {
  events: Event[];
  since?: number; // those after this id have come in since the page was loaded
  empty: string;
}

/** What has happened, newest first. */
export function Events({ events, since = Number.POSITIVE_INFINITY, empty }: EventsProps) {
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
