import { memo } from "react";
import { Time } from "../ui";
import { Avatar } from "./Avatar";
import type { Line, Outgoing } from "./outgoing";
import type { Person } from "./room";

interface ConversationProps {
  lines: Line[];
  me: Person;
  again: (message: Outgoing) => void;
  end: { log: React.Ref<HTMLDivElement>; content: React.Ref<HTMLOListElement> };
}

export function Conversation({ lines, me, again, end }: ConversationProps) {
  return (
    <div
      className="log"
      id="log"
      role="log"
      aria-live="polite"
      aria-label="Messages"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which the keyboard has to reach
      tabIndex={0}
      ref={end.log}
    >
      <p className="muted">Nothing said yet. Say hello.</p>
      <ol id="messages" ref={end.content}>
        {lines.map((line) => {
          if (line.gap) return <Gap key={line.key} />;
          const { key, sender = me, text = "", sent_at = "", outgoing } = line;
          return (
            <Message
              key={key}
              id={line.id}
              own={sender.id === me.id}
              follows={line.follows}
              {...{ sender, text, sent_at, outgoing, again }}
            />
          );
        })}
      </ol>
    </div>
  );
}

/** The server does not send again all that was missed in a long absence. */
function Gap() {
  return (
    <li className="gap">
      <p>
        Some messages in between are not shown. <a href={location.pathname}>Show the newest</a>
      </p>
    </li>
  );
}

interface MessageProps {
  id: number | undefined;
  sender: Person;
  own: boolean;
  follows: boolean | undefined;
  text: string;
  sent_at: string;
  outgoing: Outgoing | undefined;
  again: (message: Outgoing) => void;
}

const Message = memo(function Message(props: MessageProps) {
  const { id, sender, own, follows, text, sent_at, outgoing, again } = props;
  const classes = ["message", own && "own", follows && "follows", outgoing?.pending && "pending"];
  return (
    <li className={classes.filter(Boolean).join(" ")} data-id={id} data-author={sender.id}>
      <Avatar user={sender} />
      <div className="bubble">
        <p className="byline">
          <b className="author">{sender.username}</b> <Time iso={sent_at} />
        </p>
        <p className="body">{text}</p>
        {outgoing?.problem && (
          <p className="failure">
            <span>Not sent. {outgoing.problem}</span>{" "}
            <button type="button" className="link" onClick={() => again(outgoing)}>
              Try again
            </button>
          </p>
        )}
      </div>
    </li>
  );
});
