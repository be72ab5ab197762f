import { type ReactNode, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import type { Answer } from "./arena";
import { Markdown } from "./markdown.js";
import type { Actions } from "./TurnInLog";

const STALLED = 20_000; // ms without a word
const COPIED = 2000; // ms
const ENDS: Record<string, string> = {
  length: "It may not be longer. Ask for the rest.",
  refused: "The model declined. Put it in other words, or ask another model.",
  stopped: "You stopped it.",
  interrupted: "It was interrupted, since the server restarted. Try again.",
};
const { lang } = document.documentElement;
const whole = new Intl.NumberFormat(lang);
const short = new Intl.NumberFormat(lang, { maximumSignificantDigits: 2 });

interface Props {
  answer: Answer;
  isBest: boolean;
  actions: Actions;
  isConnected: boolean;
  children: ReactNode; // which leads to the other answers of the provider
}

/** One answer of a model: its text as it grows, how it ended, and what can be done with it. */
export function AnswerInTurn({ answer, isBest, actions, isConnected, children }: Props) {
  const { provider, model, text, end } = answer;
  const [failed, setFailed] = useState<{ answer: Answer; text: string }>(); // it is said until something else happens
  const [busy, setBusy] = useState("");
  const isStalled = useStalled(answer, isConnected && !end, actions);

  async function carryOut(type: "stop" | "retry" | "vote") {
    setBusy(type);
    try {
      await actions.act(type, answer);
    } catch (error) {
      setFailed({ answer, text: (error as Error).message });
    }
    setBusy("");
  }

  return (
    <article
      className={`answer ${isBest ? "best" : ""}`}
      aria-label={`Answer of ${provider}`}
      aria-busy={!end}
      data-id={answer.id}
      data-state={end ? "finished" : "streaming"}
    >
      <div className="head">
        <h2 className="provider">{provider}</h2>{" "}
        <span className="model-name">{model === provider ? "" : model}</span>
        {children}
      </div>
      <Text text={text} />
      {failed?.answer === answer ? (
        <Notice reason="failed" text={failed.text} />
      ) : isStalled ? (
        <Notice reason="stalled" text="Nothing has come for a while. Wait, or stop it and try again." />
      ) : (
        end && (
          <Notice reason={end.reason} text={(end.reason === "error" ? end.detail : ENDS[end.reason]) ?? ""} />
        )
      )}
      <div className="foot">
        <span className="figures">{end ? figures(end) : "Writing"}</span>
        <span className="actions">
          <Copy text={text} />
          <button
            type="button"
            className="quiet"
            data-act="stop"
            hidden={!!end}
            disabled={busy === "stop"}
            onClick={() => carryOut("stop")}
          >
            Stop
          </button>
          <button
            type="button"
            className="quiet"
            data-act="retry"
            hidden={!end}
            disabled={busy === "retry"}
            onClick={() => carryOut("retry")}
          >
            Try again
          </button>
          <button
            type="button"
            className="quiet"
            data-act="vote"
            hidden={!end}
            disabled={busy === "vote"}
            aria-pressed={isBest}
            onClick={() => carryOut("vote")}
          >
            {isBest ? "★ Best" : "☆ Better"}
          </button>
        </span>
      </div>
    </article>
  );
}

// Of an answer whose process was killed at the very end, nobody says that it has ended; so what there is is asked for.
function useStalled(answer: Answer, isWatched: boolean, actions: Actions): boolean {
  const [stalledAt, setStalledAt] = useState(-1); // characters
  const { length } = answer;
  const stall = useEffectEvent(() => {
    setStalledAt(length);
    actions.resume(answer);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the time runs anew with each piece
  useEffect(() => {
    if (!isWatched) return;
    const timer = setInterval(() => stall(), STALLED);
    return () => clearInterval(timer);
  }, [length, isWatched]);
  return stalledAt === length && !answer.end;
}

function figures({ ms, usage }: NonNullable<Answer["end"]>): string {
  const { output_tokens: tokens } = usage;
  const figures = [
    ms.first && `first word ${short.format(ms.first / 1000)} s`,
    ms.total && `${short.format(ms.total / 1000)} s`,
    tokens && `${whole.format(tokens)} tokens`,
  ];
  return figures.filter(Boolean).join(" · ");
}

/** Markdown, of which only the end is made anew when a text grows. */
function Text({ text }: { text: string }) {
  const element = useRef<HTMLDivElement>(null);
  const markdown = useRef<Markdown>(null);
  useLayoutEffect(() => {
    if (!element.current) return;
    markdown.current ??= new Markdown(element.current);
    markdown.current.show(text);
  }, [text]);
  return <div className="markdown" ref={element} />;
}

function Notice({ reason, text }: { reason: string; text: string }) {
  return (
    <p className="notice" data-reason={reason} hidden={!text}>
      {text}
    </p>
  );
}

/** A button that copies a text, and says so for a moment. */
function Copy({ text }: { text: string }) {
  const [said, say] = useState("Copy");
  useEffect(() => {
    if (said === "Copy") return;
    const timer = setTimeout(() => say("Copy"), COPIED);
    return () => clearTimeout(timer);
  }, [said]);
  if (!navigator.clipboard) return null; // copying needs HTTPS
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => say("Copied"),
      () => say("Not allowed"),
    );
  return (
    <button type="button" className="quiet" onClick={copy}>
      {said}
    </button>
  );
}
