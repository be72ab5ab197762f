/* A prompt and the answers to it: a column for each provider, which shows one of its answers. */

import { fromTemplate } from "../ui.js";

const byId = (one, other) => one.id - other.id;

export class Turn {
  element = fromTemplate("turn");
  answers = [];
  #columns = new Map(); // by provider: { element, tab, answers, shown }

  constructor({ message_id, message }) {
    this.id = message_id;
    this.element.dataset.id = message_id;
    this.element.querySelector(".prompt").textContent = message;
  }

  /** Show an answer in the column of its provider, if it is the newest there. What streams comes before older ones. */
  add(answer) {
    const column = this.#columns.get(answer.provider) ?? this.#newColumn(answer.provider);
    this.answers.push(answer);
    column.answers.push(answer);
    column.answers.sort(byId);
    for (const button of answer.element.querySelectorAll("[data-step]")) {
      const step = Number(button.dataset.step);
      button.addEventListener("click", () => this.#show(column, column.answers.indexOf(answer) + step));
    }
    this.#show(column, column.answers.length - 1);
    this.#arrange();
    this.element.classList.toggle("contested", this.answers.length > 1);
  }

  /** Mark the best answer, and no other one. */
  vote(id) {
    for (const answer of this.answers) answer.mark(answer.id === id);
    for (const { tab, answers } of this.#columns.values()) {
      tab.classList.toggle("best", answers.some((answer) => answer.id === id));
    }
  }

  #newColumn(provider) {
    const column = { element: document.createElement("div"), tab: fromTemplate("tab"), answers: [] };
    this.#columns.set(provider, column);
    column.element.className = "column";
    column.tab.textContent = provider;
    column.tab.addEventListener("click", () => this.#choose(column));
    return column;
  }

  // The columns stand in the order in which their first answers were begun.
  #arrange() {
    const columns = [...this.#columns.values()].sort((one, other) => byId(one.answers[0], other.answers[0]));
    const order = columns.map(({ answers }) => answers[0].provider).join();
    if (order === this.element.dataset.order) return;
    this.element.dataset.order = order;
    const tabs = this.element.querySelector(".tabs");
    tabs.replaceChildren(...columns.map(({ tab }) => tab));
    tabs.hidden = columns.length < 2;
    this.element.querySelector(".columns").replaceChildren(...columns.map(({ element }) => element));
    this.#choose(columns[0]);
  }

  // A narrow window has place for one column.
  #choose(column) {
    for (const other of this.#columns.values()) {
      other.element.classList.toggle("chosen", other === column);
      other.tab.setAttribute("aria-pressed", other === column);
    }
  }

  #show({ element, answers }, place) {
    const answer = answers[place];
    element.replaceChildren(answer.element);
    answer.find(".versions").hidden = answers.length < 2;
    answer.find(".place").textContent = `${place + 1} of ${answers.length}`;
    answer.find("[data-step='-1']").disabled = place === 0;
    answer.find("[data-step='1']").disabled = place === answers.length - 1;
  }
}
