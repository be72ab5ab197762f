import { words } from "./words";
import "./events.css";

/** What kind an event is of: "grade_received" is shown as "Grade received". */
export function Kind({ kind }: { kind: string }) {
  return <b className="kind">{words(kind)}</b>;
}

/** What an event holds. */
export function Data({ data }: { data: Record<string, unknown> }) {
  return (
    <dl className="data">
      {Object.entries(data).map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
