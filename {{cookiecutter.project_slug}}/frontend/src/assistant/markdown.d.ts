/** Markdown as DOM nodes, while it is still being written. */
export class Markdown {
  constructor(element: HTMLElement);
  /** Show a text: the one before and what came after it, or another one. */
  show(text: string): void;
}
