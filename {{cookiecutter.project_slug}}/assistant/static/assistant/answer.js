/* One answer of a model: its text as it grows, how it ended, and what can be done with it. */

import { fromTemplate } from "../ui.js";
import { Markdown, copyButton } from "./markdown.js";

const STALLED = 20_000; // ms without a word
const ENDS = {
  length: "It may not be longer. Ask for the rest.",
  refused: "The model declined. Put it in other words, or ask another model.",
  stopped: "You stopped it.",
  interrupted: "It was interrupted, since the server restarted. Try again.",
};
const { lang } = document.documentElement;
const whole = new Intl.NumberFormat(lang);
const short = new Intl.NumberFormat(lang, { maximumSignificantDigits: 2 });

export class Answer {
  element = fromTemplate("answer");
  text = "";
  length = 0; // of the text, in characters, as the server counts them
  isStreaming = true;
  #markdown = new Markdown(this.find(".markdown"));
  #heardAt = Date.now();

  /** `act(type, answer)` carries out what a button says, and returns a promise. */
  constructor({ message_id, provider, model }, act) {
    Object.assign(this, { id: message_id, provider });
    this.element.dataset.id = message_id;
    this.element.setAttribute("aria-label", `Answer of ${provider}`);
    this.find(".provider").textContent = provider;
    this.find(".model-name").textContent = model === provider ? "" : model;
    for (const button of this.element.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => this.#carryOut(button, act));
    }
    const copy = copyButton(() => this.text);
    copy.classList.replace("link", "quiet");
    if (navigator.clipboard) this.find(".actions").prepend(copy); // copying needs HTTPS
    this.mark(false);
    this.#dress();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  /** Add a piece that begins at an offset; return whether nothing is missing before it. */
  add(offset, text) {
    if (offset > this.length) return false;
    const characters = [...text].slice(this.length - offset);
    if (characters.length) this.#hear();
    this.length += characters.length;
    this.text += characters.join("");
    this.#markdown.show(this.text);
    return true;
  }

  /** Take the answer, or its end, as the server has it; return whether nothing is missing. */
  take({ offset, text, state, ...end }) {
    if (state === "finished" && offset === 0 && text !== this.text) {
      this.length = 0;
      this.text = "";
    }
    const isWhole = this.add(offset, text);
    if (state === "finished") this.finish(end);
    return isWhole;
  }

  finish({ reason, usage, ms, detail }) {
    this.isStreaming = false;
    this.#notice(reason === "error" ? detail : ENDS[reason], reason);
    const { output_tokens: tokens } = usage;
    const figures = [
      ms.first && `first word ${short.format(ms.first / 1000)} s`,
      ms.total && `${short.format(ms.total / 1000)} s`,
      tokens && `${whole.format(tokens)} tokens`,
    ];
    this.find(".figures").textContent = figures.filter(Boolean).join(" · ");
    this.#dress();
  }

  /** Say whether it is the best of the answers to its prompt. */
  mark(isBest) {
    this.element.classList.toggle("best", isBest);
    const button = this.find("[data-act=vote]");
    button.setAttribute("aria-pressed", isBest);
    button.textContent = isBest ? "★ Best" : "☆ Better";
  }

  #hear() {
    this.#heardAt = Date.now();
    if (this.isStreaming) this.#notice();
  }

  /** Say so if nothing has come for long, and return whether to ask for what there is. */
  watch() {
    if (Date.now() - this.#heardAt < STALLED) return false;
    this.#heardAt = Date.now();
    this.#notice("Nothing has come for a while. Wait, or stop it and try again.", "stalled");
    return true;
  }

  #dress() {
    this.element.dataset.state = this.isStreaming ? "streaming" : "finished";
    this.element.setAttribute("aria-busy", this.isStreaming);
    this.find("[data-act=stop]").hidden = !this.isStreaming;
    this.find("[data-act=retry]").hidden = this.isStreaming;
    this.find("[data-act=vote]").hidden = this.isStreaming;
    if (this.isStreaming) this.find(".figures").textContent = "Writing";
  }

  async #carryOut(button, act) {
    button.disabled = true;
    try {
      await act(button.dataset.act, this);
    } catch (error) {
      this.#notice(error.message, "failed");
    }
    button.disabled = false;
  }

  #notice(text = "", reason = "") {
    const notice = this.find(".notice");
    if (notice.textContent === text) return;
    notice.textContent = text;
    notice.dataset.reason = reason;
    notice.hidden = !text;
  }
}
