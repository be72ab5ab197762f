/* Where prompts are written, and who is to answer is chosen. */

import { fromTemplate } from "../ui.js";

const CHOSEN = "assistant.providers"; // in the browser's storage

let longest = Infinity; // characters

const $ = (id) => document.getElementById(id);
const [composer, draft, models, failure] = ["composer", "draft", "models", "failure"].map($);

/** Call `send({ message, providers })` for each prompt, which returns a promise; `key` names the stored draft. */
export function takePrompts(key, send) {
  draft.value = sessionStorage.getItem(key) ?? "";
  const keep = () => sessionStorage.setItem(key, draft.value);
  draft.addEventListener("input", () => {
    keep();
    fail();
  });
  if (matchMedia("(hover: hover)").matches) draft.focus(); // a phone would show its keyboard

  draft.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  });

  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const message = draft.value.trim();
    if (!message || $("send").disabled) return;
    const { length } = [...message];
    if (length > longest) return fail(`Not sent. It has ${length} characters, and may have ${longest}. Shorten it.`);
    $("send").disabled = true;
    draft.value = "";
    draft.focus();
    fail();
    try {
      await send({ message, providers: chosen() });
    } catch (error) {
      draft.value ||= message;
      fail(`Not sent. ${error.message}`);
    }
    keep();
    $("send").disabled = models.disabled;
  });
}

/** Let people write while there is a connection. */
export function allow(isConnected) {
  models.disabled = $("send").disabled = !isConnected;
}

/** Offer the models that are there, of which so many may answer at once. */
export function offer(providers, defaults, limits) {
  const names = providers.map(({ name }) => name);
  const stored = (localStorage.getItem(CHOSEN) ?? "").split(",").filter((name) => names.includes(name));
  const wanted = (stored.length ? stored : defaults).slice(0, limits.providers);
  longest = limits.prompt_chars;
  const boxes = providers.map(({ name, model }) => {
    const label = fromTemplate("model");
    const box = label.querySelector("input");
    box.value = name;
    box.checked = wanted.includes(name);
    label.title = model;
    label.querySelector("span").textContent = name;
    return label;
  });
  models.replaceChildren(models.firstElementChild, ...boxes);
  const check = () => {
    const isFull = chosen().length >= limits.providers;
    for (const box of models.querySelectorAll("input")) box.disabled = isFull && !box.checked;
  };
  models.onchange = ({ target }) => {
    if (!chosen().length) target.checked = true;
    localStorage.setItem(CHOSEN, chosen().join(","));
    check();
  };
  check();
}

const chosen = () => Array.from(models.querySelectorAll("input:checked"), ({ value }) => value);

function fail(text = "") {
  failure.textContent = text;
  failure.hidden = !text;
}
