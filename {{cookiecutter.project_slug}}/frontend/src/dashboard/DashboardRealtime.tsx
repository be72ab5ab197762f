import { useEffect, useState } from "react";
import { api } from "../api";
import { Events } from "../events/Events";
import { useWebSocket } from "../realtime/useWebSocket";
import { NotAllowed, Note, Status, Title, useAttempt } from "../ui";
import { draw, HEIGHT, WIDTH } from "./chart";
import { type Change, dashboard, label, PATH, text } from "./dashboard";
import "./dashboard.css";

/** Figures, a chart of the one that is chosen, and the events. */
export default function DashboardRealtime() {
  const { value, state, reason } = useWebSocket(PATH, dashboard);
  const { failure, attempt } = useAttempt();
  const [picked, pick] = useState<string>();
  const { figures, events, heard } = value;
  const chosen = picked ?? Object.keys(figures)[0];
  const isLive = state === "connected";

  async function test() {
    await attempt(() => api("/api/dashboard/test/", {}), "Not sent.");
  }

  if (state === "closed" && !heard) return <NotAllowed />;
  return (
    <>
      <Title>Dashboard</Title>
      <div className="bar">
        <h1>Dashboard</h1>
        <Status state={state} reason={reason} />
      </div>
      <Note text={failure} />
      <div className={`live ${isLive ? "" : "stale"}`} id="live">
        <ul className="figures" id="figures" aria-label="Figures">
          {Object.entries(figures).map(([name, changes]) => (
            <li key={name}>
              <button
                className="figure"
                data-name={name}
                aria-pressed={name === chosen}
                onClick={() => pick(name)}
              >
                <span className="label">{label(name)}</span>
                <b className="value">{text(name, newest(changes))}</b>
              </button>
            </li>
          ))}
        </ul>
        <Chart name={chosen} changes={(chosen && figures[chosen]) || []} end={isLive ? undefined : heard} />
        <form className="bar" id="test" action={test}>
          <h2>Events</h2>
          <button className="quiet">Send a test event</button>
        </form>
        <Events events={events} empty="No events yet." />
      </div>
    </>
  );
}

function newest(changes: Change[]): number {
  return changes.findLast(([, value]) => value !== null)?.[1] ?? 0;
}

interface ChartProps {
  name: string | undefined;
  changes: Change[];
  end: number | undefined; // until when they are known, if that is not now
}

function Chart({ name = "", changes, end }: ChartProps) {
  const now = useNow();
  const chart = draw(changes, now, end);
  const [low, high] = [chart?.low ?? 0, chart?.high ?? 0].map((value) => text(name, value));
  const range = low === high ? low : `${low} to ${high}`;
  const ago = `${chart?.minutes === 1 ? "1 minute" : `${chart?.minutes} minutes`} ago`;
  return (
    <figure className="card chart">
      <figcaption className="bar">
        <h2 id="charted">{label(name) || "\u00a0"}</h2>
        <span className="muted" id="range">
          {chart && range}
        </span>
      </figcaption>
      <div className="plot">
        <svg
          id="chart"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={chart && `${label(name)}, since ${ago}: ${range}`}
        >
          <path className="grid" d="M0 0.5H600M0 80H600M0 159.5H600" />
          <path className="area" d={chart?.area} />
          <path className="line" d={chart?.line} />
        </svg>
        <span className="high" id="high">
          {chart && text(name, chart.top)}
        </span>
        <span className="low">0</span>
      </div>
      <p className="axis" aria-hidden="true">
        <span id="begin">{chart && ago}</span>
        <span>now</span>
      </p>
    </figure>
  );
}

/** The time (ms since 1970), anew with each second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
