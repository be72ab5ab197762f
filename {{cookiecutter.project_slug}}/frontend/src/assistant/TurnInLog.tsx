import { memo, useState } from "react";
import { AnswerInTurn } from "./AnswerInTurn";
import type { Answer, Turn } from "./arena";

export interface Actions {
  act(type: "stop" | "retry" | "vote", answer: Answer): Promise<unknown>;
  resume(answer: Answer): void;
}

interface Props {
  turn: Turn;
  actions: Actions;
  isConnected: boolean;
}

/** A prompt and the answers to it: a column for each provider, in the order in which their first answers were begun. */
export const TurnInLog = memo(function TurnInLog({ turn, actions, isConnected }: Props) {
  const columns = Object.values(Object.groupBy(turn.answers, ({ provider }) => provider)) as Answer[][];
  const providers = columns.map(([first]) => first?.provider ?? "");
  // A narrow window has place for one column: the first one, until another one is chosen.
  const [choice, setChoice] = useState({ among: "", provider: "" });
  const among = providers.join();
  const chosen = choice.among === among ? choice.provider : providers[0];
  return (
    <li className={`turn ${turn.answers.length > 1 ? "contested" : ""}`} data-id={turn.id}>
      <p className="prompt">{turn.prompt}</p>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
      <div className="tabs" role="group" aria-label="Which answer is shown" hidden={columns.length < 2}>
        {columns.map((answers, at) => (
          <button
            type="button"
            className={`quiet ${answers.some(({ id }) => id === turn.best) ? "best" : ""}`}
            key={providers[at]}
            aria-pressed={providers[at] === chosen}
            onClick={() => setChoice({ among, provider: providers[at] ?? "" })}
          >
            {providers[at]}
          </button>
        ))}
      </div>
      <div className="columns">
        {columns.map((answers, at) => (
          <div className={`column ${providers[at] === chosen ? "chosen" : ""}`} key={providers[at]}>
            <Column answers={answers} best={turn.best} actions={actions} isConnected={isConnected} />
          </div>
        ))}
      </div>
    </li>
  );
});

interface ColumnProps {
  answers: Answer[];
  best: number | undefined;
  actions: Actions;
  isConnected: boolean;
}

/** The answers of a provider, of which one is shown: the newest, until another one is asked for. */
function Column({ answers, best, actions, isConnected }: ColumnProps) {
  const [step, setStep] = useState({ among: 0, place: 0 });
  const among = answers.length;
  const place = step.among === among ? step.place : among - 1;
  const answer = answers[place];
  if (!answer) return null;
  const to = (place: number) => () => setStep({ among, place });
  return (
    <AnswerInTurn
      key={answer.id}
      answer={answer}
      isBest={answer.id === best}
      actions={actions}
      isConnected={isConnected}
    >
      <span className="versions" hidden={among < 2}>
        <button
          type="button"
          className="link"
          data-step="-1"
          aria-label="The answer before"
          disabled={place === 0}
          onClick={to(place - 1)}
        >
          ‹
        </button>{" "}
        <span className="place">
          {place + 1} of {among}
        </span>{" "}
        <button
          type="button"
          className="link"
          data-step="1"
          aria-label="The answer after"
          disabled={place === among - 1}
          onClick={to(place + 1)}
        >
          ›
        </button>
      </span>
    </AnswerInTurn>
  );
}
