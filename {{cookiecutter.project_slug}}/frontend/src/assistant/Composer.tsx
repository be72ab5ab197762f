import {
  type FormEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useState,
} from "react";
import { Note } from "../ui";
import type { Arena } from "./arena";

const CHOSEN = "assistant.providers"; // in the browser's storage

interface Props {
  hello: Arena["hello"];
  isConnected: boolean;
  draftKey: string; // of the stored draft
  draft: string;
  setDraft(change: string | ((now: string) => string)): void;
  failure: string;
  setFailure(text: string): void;
  field: RefObject<HTMLTextAreaElement | null>;
  send(prompt: { message: string; providers: string[] }): Promise<unknown>;
  children: ReactNode;
}

/** Where prompts are written, and who is to answer is chosen. */
export function Composer(props: Props) {
  const { hello, isConnected, draftKey, draft, setDraft, failure, setFailure, field, send, children } = props;
  const { providers, chosen, toggle, isFull } = useModels(hello);
  const [isSending, setSending] = useState(false);

  useEffect(() => {
    if (!isSending) sessionStorage.setItem(draftKey, draft);
  }, [draftKey, draft, isSending]);

  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current?.focus(); // a phone would show its keyboard
  }, [field]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const message = draft.trim();
    if (!message || isSending || !isConnected || !hello) return;
    const { length } = [...message];
    const longest = hello.limits.prompt_chars;
    if (length > longest)
      return setFailure(`Not sent. It has ${length} characters, and may have ${longest}. Shorten it.`);
    setSending(true);
    setDraft("");
    setFailure("");
    field.current?.focus();
    try {
      await send({ message, providers: chosen });
    } catch (error) {
      setDraft((now) => now || message);
      setFailure(`Not sent. ${(error as Error).message}`);
    }
    setSending(false);
  }

  function sendByEnter(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  }

  return (
    <form className="composer" id="composer" onSubmit={submit}>
      <Note text={failure} />
      <fieldset className="models" id="models" disabled={!isConnected}>
        <legend className="aloud">Who answers</legend>
        {providers.map(({ name, model }) => (
          <label className="model" title={model} key={name}>
            <input
              type="checkbox"
              value={name}
              checked={chosen.includes(name)}
              disabled={isFull && !chosen.includes(name)}
              onChange={() => toggle(name)}
            />{" "}
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <textarea
        id="draft"
        ref={field}
        rows={1}
        aria-label="Your question"
        placeholder="Ask something"
        enterKeyHint="send"
        value={draft}
        onChange={(event) => {
          setDraft(event.target.value);
          setFailure("");
        }}
        onKeyDown={sendByEnter}
      />
      <button id="send" disabled={!isConnected || isSending}>
        Send
      </button>
      {children}
    </form>
  );
}

/** The models that are there, and which of them are asked: as last time in this browser, or as the server says. */
function useModels(hello: Arena["hello"]) {
  const [stored, setStored] = useState(() => (localStorage.getItem(CHOSEN) ?? "").split(","));
  const { providers = [], default_providers: defaults = [], limits } = hello ?? {};
  const names = providers.map(({ name }) => name);
  const known = names.filter((name) => stored.includes(name));
  const most = limits?.providers ?? 0;
  const chosen = (known.length ? known : defaults).slice(0, most);

  function toggle(name: string) {
    const next = names.filter((each) => chosen.includes(each) !== (each === name));
    if (!next.length) return; // somebody has to answer
    localStorage.setItem(CHOSEN, next.join(","));
    setStored(next);
  }

  return { providers, chosen, toggle, isFull: chosen.length >= most };
}
