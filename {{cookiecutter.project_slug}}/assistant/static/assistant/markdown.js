/* Markdown as DOM nodes, while it is still being written.

     const markdown = new Markdown(element);
     markdown.show("# He");
     markdown.show("# Hello\n\nWorld"); // the blocks above the last one stay as they are

   It knows what chat models write: headings, paragraphs, lists, quotes, tables, rules, code, and in a line bold,
   italic, struck out, code and links. Text only ever becomes text nodes, so there is nothing in it to run, and links
   lead to http and https alone. What is not understood is shown as it was written. */

const DEEPEST = 8; // blocks in blocks, and marks in marks
const LOOK_AHEAD = 2; // lines that decide what begins with the first of them

const FENCE = /^ {0,3}(`{3,}|~{3,}) *([^`\s]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6}) +(.*)$/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?: +(?=\S)|$)/;
const EMPTY_ITEM = /^ *(?:[-*+]|\d{1,9}[.)])$/;
const DASHES = /^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?$/;

// Each repetition has a limit: a text made for it could otherwise keep the page busy for minutes.
const MARK = new RegExp(
  [
    /\\(?<escaped>[!-/:-@[-`{-~])/,
    /(?<!`)(?<ticks>`{1,8})(?!`)(?<code>.{1,2000}?)(?<!`)\k<ticks>(?!`)/,
    /!?\[(?<label>[^\]\n]{1,500})\]\(<?(?<target>[^\s()<>]{1,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500}){0,4})>?(?: "[^"\n]{0,500}")?\)/,
    /<(?<auto>https?:\/\/[^\s<>]{1,2000})>/,
    /(?<![\w/])(?<bare>https?:\/\/[^\s<>"'`*|]{0,2000}[^\s<>"'`*|.,:;!?)\]])/,
    /\*\*(?!\s)(?<strong>.{1,2000}?)(?<!\s)\*\*(?!\*)/,
    /(?<!\w)__(?!\s)(?<strong_>.{1,2000}?)(?<!\s)__(?!\w)/,
    /\*(?![\s*])(?<em>[^*\n]{1,1000}?)(?<!\s)\*(?!\*)/,
    /(?<!\w)_(?![\s_])(?<em_>[^\n]{1,1000}?)(?<![\s_])_(?!\w)/,
    /~~(?!\s)(?<del>.{1,1000}?)(?<!\s)~~/,
    /(?<br>\n|<br ?\/?>)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gs",
);

export class Markdown {
  #element;
  #text = "";
  #settled = 0; // characters in the blocks that cannot change any more
  #open = []; // the nodes of the others

  constructor(element) {
    this.#element = element;
  }

  /** Show a text: the one before and what came after it, or another one. */
  show(text) {
    if (!text.startsWith(this.#text)) {
      this.#settled = 0;
      this.#element.replaceChildren();
      this.#open = [];
    }
    this.#text = text;
    for (const node of this.#open) node.remove();
    const lines = text.slice(this.#settled).replaceAll("\t", "    ").split("\n");
    const blocks = [...parse(lines, 0)];
    this.#element.append(...blocks.map(({ node }) => node));
    // The next block may still turn out to belong to this one, as long as its first lines are not all there.
    const sure = blocks.findLastIndex(({ from }) => from + LOOK_AHEAD < lines.length);
    this.#open = blocks.slice(Math.max(sure, 0)).map(({ node }) => node);
    if (sure > 0) this.#settled = startOf(text, this.#settled, blocks[sure].from);
  }
}

/** Return where the line of this number begins, counted from a place in a text. */
function startOf(text, place, line) {
  for (let number = 0; number < line; number++) place = text.indexOf("\n", place) + 1;
  return place;
}

function make(tag, ...children) {
  const node = document.createElement(tag);
  node.append(...children);
  return node;
}

/* Blocks: each reader takes the lines and the number of the first one, and returns a node and the number of the line
   after it. */

const KINDS = [
  [(lines, at) => FENCE.test(lines[at]), readCode],
  [(lines, at) => HEADING.test(lines[at]), readHeading],
  [(lines, at) => RULE.test(lines[at]), (_lines, at) => [make("hr"), at + 1]],
  [(lines, at) => QUOTE.test(lines[at]), readQuote],
  [(lines, at) => ITEM.test(lines[at]), readList],
  [(lines, at) => lines[at].includes("|") && DASHES.test(lines[at + 1] ?? ""), readTable],
];

function* parse(lines, depth) {
  for (let at = 0; at < lines.length; ) {
    if (isBlank(lines[at])) {
      at++;
      continue;
    }
    const [, read] = (depth < DEEPEST && KINDS.find(([begins]) => begins(lines, at))) || [
      null,
      readParagraph,
    ];
    const [node, next] = read(lines, at, depth);
    yield { node, from: at };
    at = next;
  }
}

const isBlank = (line) => line.trim() === "";
const indentation = (line) => line.search(/\S/);
const interrupts = (lines, at) => KINDS.some(([begins]) => begins(lines, at)) && !EMPTY_ITEM.test(lines[at]);

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !interrupts(lines, end)) end++;
  const text = lines.slice(at, end).map((line) => line.trim());
  return [make("p", ...inline(text.join("\n"))), end];
}

function readHeading(lines, at) {
  const [, marks, text] = HEADING.exec(lines[at]);
  return [make(`h${Math.min(marks.length + 2, 6)}`, ...inline(text.trim())), at + 1]; // h1 and h2 are the page's
}

function readCode(lines, at) {
  const [, fence, language] = FENCE.exec(lines[at]);
  const isEnd = (line) =>
    line.trim().startsWith(fence) && line.trim() === fence[0].repeat(line.trim().length);
  let end = at + 1;
  while (end < lines.length && !isEnd(lines[end])) end++;
  const code = make("code", lines.slice(at + 1, end).join("\n"));
  const head = make("div", make("span", language || "text"));
  if (navigator.clipboard) head.append(copyButton(() => code.textContent)); // copying needs HTTPS
  const node = make("figure", head, make("pre", code));
  node.className = "code";
  node.querySelector("pre").tabIndex = 0; // it scrolls
  return [node, end + 1];
}

function readQuote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end++;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [make("blockquote", ...nodes(inner, depth)), end];
}

function readList(lines, at, depth) {
  const [, indent, marker] = ITEM.exec(lines[at]);
  const isOrdered = /\d/.test(marker);
  const list = make(isOrdered ? "ol" : "ul");
  if (isOrdered) list.start = Number.parseInt(marker, 10);
  const isNext = (line) => !RULE.test(line) && ITEM.test(line) && /\d/.test(ITEM.exec(line)[2]) === isOrdered;
  let end = at;
  for (let next = at; next < lines.length && isNext(lines[next]); next = skipBlank(lines, end)) {
    const [inner, after] = readItem(lines, next, indent.length + 2);
    list.append(newItem(nodes(inner, depth)));
    end = after;
  }
  return [list, end];
}

/** Return the lines of an item, without their indentation, and the number of the line after them. */
function readItem(lines, at, inside) {
  const width = ITEM.exec(lines[at])[0].length;
  const inner = [lines[at].slice(width)];
  for (at++; at < lines.length; at++) {
    const line = lines[at];
    if (isBlank(line)) {
      const next = skipBlank(lines, at);
      if (next === lines.length || indentation(lines[next]) < inside) break;
      for (; at < next; at++) inner.push("");
      at--;
    } else if (indentation(line) >= inside) inner.push(line.slice(Math.min(indentation(line), width)));
    else if (isBlank(lines[at - 1]) || interrupts(lines, at)) break;
    else inner.push(line);
  }
  return [inner, at];
}

function skipBlank(lines, at) {
  while (at < lines.length && isBlank(lines[at])) at++;
  return at;
}

function newItem(children) {
  const isTight =
    children.filter(({ tagName }) => tagName === "P").length === 1 && children[0].tagName === "P";
  return make("li", ...(isTight ? [...children[0].childNodes, ...children.slice(1)] : children));
}

function readTable(lines, at) {
  const aligned = cells(lines[at + 1]).map(
    (dashes) => /:$/.test(dashes) && (/^:/.test(dashes) ? "center" : "end"),
  );
  const row = (line, tag) => make("tr", ...cells(line).map((text, n) => newCell(tag, text, aligned[n])));
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end++;
  const body = lines.slice(at + 2, end).map((line) => row(line, "td"));
  const node = make("div", make("table", make("thead", row(lines[at], "th")), make("tbody", ...body)));
  node.className = "table";
  node.tabIndex = 0; // it scrolls
  return [node, end];
}

function newCell(tag, text, aligned) {
  const cell = make(tag, ...inline(text));
  if (aligned) cell.className = aligned;
  return cell;
}

function cells(line) {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim());
}

const nodes = (lines, depth) => [...parse(lines, depth + 1)].map(({ node }) => node);

/* What stands in a line */

function inline(text, depth = 0) {
  if (depth > DEEPEST) return [text];
  const found = [];
  let end = 0;
  for (const match of text.matchAll(MARK)) {
    found.push(text.slice(end, match.index), newMark(match, depth + 1));
    end = match.index + match[0].length;
  }
  return [...found, text.slice(end)].filter((part) => part !== "");
}

function newMark({ 0: written, groups }, depth) {
  if (groups.escaped) return groups.escaped;
  if (groups.code) return make("code", groups.code.replaceAll("\n", " ").replace(/^ (.+) $/, "$1"));
  if (groups.br) return make("br");
  if (groups.label) return newLink(groups.target, inline(groups.label, depth)) ?? written;
  const address = groups.auto ?? groups.bare;
  if (address) return newLink(address, [address]) ?? written;
  for (const [tag, inner] of [
    ["strong", groups.strong ?? groups.strong_],
    ["em", groups.em ?? groups.em_],
    ["del", groups.del],
  ]) {
    if (inner !== undefined) return make(tag, ...inline(inner, depth));
  }
}

function newLink(target, children) {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return undefined;
  const link = make("a", ...children);
  link.href = target;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  return link;
}

/** Return a button that copies what `getText` returns, and says so for a moment. */
export function copyButton(getText) {
  const button = make("button", "Copy");
  button.type = "button";
  button.className = "link";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(getText());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}
