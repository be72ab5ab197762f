import { Avatar } from "./Avatar";
import type { Person } from "./room";

interface WaitingProps {
  guests: Person[];
  answer: (type: "admit" | "refuse", userId: number) => void;
}

/** Who waits before the room, for its host to admit or to refuse. */
export function Waiting({ guests, answer }: WaitingProps) {
  return (
    <div className="waiting note" id="waiting" hidden={!guests.length}>
      <h2 role="status">
        {guests.length} {guests.length === 1 ? "person waits" : "people wait"} to come in
      </h2>
      <ul>
        {guests.map((user) => (
          <li key={user.id}>
            <Avatar user={user} /> <span className="name">{user.username}</span>{" "}
            <button
              type="button"
              className="admit"
              aria-label={`Admit ${user.username}`}
              onClick={() => user.id !== null && answer("admit", user.id)}
            >
              Admit
            </button>{" "}
            <button
              type="button"
              className="quiet refuse"
              aria-label={`Refuse ${user.username}`}
              onClick={() => user.id !== null && answer("refuse", user.id)}
            >
              Refuse
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
