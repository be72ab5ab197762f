import { type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";

const TYPING_REPEAT = 3000; // ms between two "is typing" while somebody writes

interface ComposerProps {
  connected: boolean;
  typing: string;
  newer: boolean;
  showNewest: () => void;
  tell: (active: boolean) => void; // that we are typing, or not any more
  post: (text: string) => void;
}

/** Where a message is written, and sent: not while nobody would hear it. */
export function Composer({ connected, typing, newer, showNewest, tell, post }: ComposerProps) {
  const [text, setText] = useState("");
  const fields = useRef<HTMLFieldSetElement>(null);
  const draft = useRef<HTMLTextAreaElement>(null);
  const writing = useRef(true);
  const told = useRef(0); // when we last said that we are typing; 0 if we are not

  // Who was writing when the connection broke goes on when it is back.
  useLayoutEffect(() => {
    if (!connected) return;
    const box = fields.current;
    if (writing.current) draft.current?.focus();
    return () => {
      writing.current = !!box?.contains(document.activeElement);
    };
  }, [connected]);

  function change(text: string) {
    setText(text);
    const active = text.trim() !== "";
    if (active ? Date.now() - told.current < TYPING_REPEAT : !told.current) return;
    tell(active);
    told.current = active ? Date.now() : 0;
  }

  function submit() {
    if (!connected || !text.trim()) return;
    post(text.trim());
    change("");
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  }

  return (
    <form
      className="composer"
      id="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <p className="typing" id="typing">
        {typing}
      </p>
      <button type="button" className="newer" id="newer" hidden={!newer} onClick={showNewest}>
        New messages ↓
      </button>
      <fieldset disabled={!connected} ref={fields}>
        <textarea
          id="draft"
          rows={1}
          maxLength={4000}
          aria-label="Your message"
          placeholder="Write a message"
          enterKeyHint="send"
          ref={draft}
          value={text}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button>Send</button>
      </fieldset>
    </form>
  );
}
