// "Reply to this" below what a reader selects in the article: the box gets it as a quote. embed.js loads this when
// somebody selects something in a page with a thread that has the attribute `quotes`.

const origin = new URL(import.meta.url).origin;
const THREADS = "[quotes], [data-quotes]";
const LONGEST = 300; // characters; the frame takes no more
const LONGEST_WHOLE = 60; // characters of a quote that its link has whole, not only its first and last words
const PAUSE = 300; // milliseconds; before that, a reader is still selecting
const MARGIN = 8;
// Letters of scripts that put spaces between words: a link finds whole words only.
const LETTER = String.raw`(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{M}\p{N}]`;
// Control characters, and those that show a text in another order than it has.
const NOT_SHOWN = /(?!\s)\p{Cc}|[\u202a-\u202e\u2066-\u206f]/gu;
const LETTERS_BEFORE = new RegExp(`(?:${LETTER}){0,40}$`, "u");
const LETTERS_AFTER = new RegExp(`^(?:${LETTER}){0,40}`, "u");

const isTouched = matchMedia("(pointer: coarse)").matches;
const place = document.createElement("div");
const button = document.createElement("button");
const styles = new CSSStyleSheet();
// Dark on every page: a page's ground may be of any colour.
styles.replaceSync(`button {
  padding: .5em .9em;
  min-height: ${isTouched ? 44 : 32}px;
  border: 1px solid #777;
  border-radius: 6px;
  background: #222;
  color: #fff;
  font: inherit;
  box-shadow: 0 2px 8px rgb(0 0 0 / .3);
  cursor: pointer
}
button:hover { background: #444 }
button:focus-visible { outline: 2px solid #fff; outline-offset: -4px }
@media print { button { display: none } }`);
const root = place.attachShadow({ mode: "open" });
root.adoptedStyleSheets = [styles];
root.append(button);

const elementOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
const attribute = (thread, name) => thread.getAttribute(name) || thread.getAttribute(`data-${name}`);
const frameOf = (thread) => (thread.shadowRoot?.querySelector("comment-thread") ?? thread).shadowRoot?.querySelector("iframe");

let offered = null; // { thread, range, quote }

const shadowsOf = ({ shadowRoot }) => (shadowRoot ? [shadowRoot, ...[...shadowRoot.querySelectorAll("comment-thread")].flatMap(shadowsOf)] : []);

/**
 * Return the selected range, without blocks in which only the beginning is selected, as by a triple click. If that is
 * the thread, which is in a shadow root, browsers call the whole selection empty.
 */
function selectedRange(selection) {
  let range = selection.getRangeAt(0).cloneRange();
  if (range.collapsed) {
    const shadowRoots = [...document.querySelectorAll(THREADS)].flatMap(shadowsOf);
    const [composed] = selection.getComposedRanges?.({ shadowRoots }) ?? [];
    let end = composed?.endContainer;
    if (!end || composed.startContainer.getRootNode() !== document) return range;
    while (end.getRootNode() !== document) end = end.getRootNode().host;
    if (end === composed.endContainer) return range;
    range = document.createRange();
    range.setStart(composed.startContainer, composed.startOffset);
    range.setEndBefore(end);
  }
  while (!range.endOffset && range.endContainer.parentNode) range.setEndBefore(range.endContainer);
  return range;
}

/** Whether a range is in the text to which a thread belongs, and in no comment. */
function isInArticle(range, thread) {
  const article = elementOf(range.startContainer)?.closest(attribute(thread, "quotes") || "article, main");
  if (!article || [...document.querySelectorAll("comment-thread, div#comments")].some((one) => range.intersectsNode(one))) return false;
  if (article.contains(range.endContainer)) return true;
  const rest = range.cloneRange();
  rest.setStart(article, article.childNodes.length);
  return !rest.toString().trim();
}

/** Complete the first and the last word of a selected text. */
function wholeWords(text, { startContainer: start, startOffset, endContainer: end, endOffset }) {
  const before = start.nodeType === Node.TEXT_NODE && LETTERS_AFTER.exec(text)[0] ? LETTERS_BEFORE.exec(start.data.slice(0, startOffset))[0] : "";
  const after = end.nodeType === Node.TEXT_NODE && LETTERS_BEFORE.exec(text)[0] ? LETTERS_AFTER.exec(end.data.slice(endOffset))[0] : "";
  return before + text + after;
}

function cut(line, length) {
  const part = line.slice(0, length).replace(/[\ud800-\udbff]$/, "");
  return part.lastIndexOf(" ") > length / 2 ? part.slice(0, part.lastIndexOf(" ")) : part;
}

/** Take words from a list until there are enough for a link to find the place. */
function someWords(words) {
  const count = words.findIndex((_, index) => words.slice(0, index + 1).join("").length >= 25);
  return count < 0 ? words : words.slice(0, count + 1);
}

/** Encode what has a meaning in text fragments or Markdown, such as "-" and ")". */
function encode(words) {
  return encodeURIComponent(words.toWellFormed()).replace(/[^\w%]/g, (char) => `%${char.charCodeAt().toString(16)}`);
}

/** Return a text on one line, cut to fit, and the text fragment that leads to it: all of it, or its first and last words. */
function quoteOf(text) {
  const lines = [];
  let room = LONGEST - 2;
  let isCut = false;
  for (const line of text.split(/[\n\t]+/).map((one) => one.replace(NOT_SHOWN, "").replace(/\s+/g, " ").trim()).filter(Boolean)) {
    isCut = line.length > room;
    const part = isCut ? cut(line, room) : line;
    if (part) lines.push(part);
    room -= part.length + 1;
    if (isCut) break;
  }
  if (!/[\p{L}\p{N}]/u.test(lines.join(""))) return null;
  const [first, last] = [lines[0], lines.at(-1)];
  const words = (line) => Array.from(new Intl.Segmenter(document.documentElement.lang || undefined, { granularity: "word" }).segment(line), ({ segment }) => segment);
  const ends = lines.length === 1 && first.length <= LONGEST_WHOLE
    ? [first]
    : [someWords(words(first)).join(""), someWords(words(last).reverse()).reverse().join("")];
  return { text: lines.join(" ") + (isCut ? "…" : ""), fragment: ends.map(encode).join() };
}

/** Return what can be quoted of the page's selection; null for nothing. */
function selected() {
  const selection = getSelection();
  if (!selection.rangeCount) return null;
  const range = selectedRange(selection);
  if (range.collapsed) return null;
  const thread = [...document.querySelectorAll(THREADS)].find((one) => isInArticle(range, one));
  const text = (selection.toString() || range.toString()).slice(0, 10 * LONGEST);
  const quote = thread && quoteOf(wholeWords(text, range));
  return quote ? { thread, range, quote } : null;
}

function hide() {
  offered = null;
  place.remove();
}

/** Below the selection, because phones put their own menu above it; it scrolls with the page. */
function show() {
  offered = selected();
  if (!offered) return hide();
  const { thread, range } = offered;
  button.textContent = attribute(thread, "quotes-text") || "Reply to this";
  place.style.cssText = `all: initial; position: absolute; top: 0; left: 0; z-index: 2147483647; font: 14px ${getComputedStyle(thread).fontFamily}`;
  place.lang = attribute(thread, "quotes-text") ? "" : "en";
  document.documentElement.append(place); // a body may be positioned itself
  const { bottom, left } = range.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const { width, height } = button.getBoundingClientRect();
  const fit = (value, most) => Math.max(MARGIN, Math.min(value, most - MARGIN));
  place.style.top = `${scrollY + fit(bottom + (isTouched ? 36 : MARGIN), clientHeight - height)}px`;
  place.style.left = `${scrollX + fit(left, clientWidth - width)}px`;
}

/** Hide the button while it has the focus: the next Tab goes on from the selected text. */
function leave() {
  const element = elementOf(offered.range.endContainer);
  hide();
  const tabindex = element.getAttribute("tabindex");
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  if (tabindex === null) element.removeAttribute("tabindex");
  else element.setAttribute("tabindex", tabindex);
}

/** Lead to the box, and give it the quote as soon as it is there. */
function reply({ thread, quote }) {
  const page = location.href;
  const send = () => {
    const frame = frameOf(thread);
    if (location.href !== page) return; // another article by now
    frame.focus();
    frame.contentWindow.postMessage({ commentsvc: "quote", ...quote }, origin);
  };
  // A frame has told its height once it listens.
  if (frameOf(thread)?.style.getPropertyValue("--height")) send();
  else thread.addEventListener("commentsready", send, { once: true });
  thread.scrollIntoView(); // loads a thread that was far away
}

let timer;
document.addEventListener("selectionchange", () => {
  clearTimeout(timer);
  timer = setTimeout(show, PAUSE);
});
timer = setTimeout(show, PAUSE);

button.addEventListener("pointerdown", (event) => event.preventDefault()); // the selection stays
button.addEventListener("click", () => {
  const { thread, quote } = offered;
  getSelection().empty();
  hide();
  reply({ thread, quote });
});

document.addEventListener("keydown", (event) => {
  if (!offered || event.altKey || event.ctrlKey || event.metaKey) return;
  const isFocused = document.activeElement === place;
  if (event.key === "Escape") isFocused ? leave() : hide();
  if (event.key !== "Tab") return;
  if (isFocused) leave();
  else if (!event.shiftKey) {
    event.preventDefault();
    button.focus({ preventScroll: true });
  }
});
