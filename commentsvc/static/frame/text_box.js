// A box for text: preview, buttons for Markdown, and what is left of the limit.

import { base, parse } from "./core.js";
import { translate } from "./words.js";

/** Name, key, picture; marks around the selection, or before its lines. */
const TOOLS = [
  ["bold", "b", "M5 3h4a2 2 0 0 1 0 5H5zm0 5h5a2 2 0 0 1 0 5H5z", "**", "**"],
  ["italic", "i", "M7 3h5M4 13h5m1-10L6 13", "_", "_"],
  ["link", "k", "M6 12H5a4 4 0 0 1 0-8h1m4 0h1a4 4 0 0 1 0 8h-1M5 8h6", "[", "](https://)"],
  ["quote", "", "M3 3v10M7 4h7M7 8h7m-7 4h7", "> "],
  ["code", "", "M5 4 1 8l4 4m6-8 4 4-4 4", "`", "`"],
  ["list", "", "M2 4h2M2 8h2m-2 4h2M7 4h7M7 8h7m-7 4h7", "- "],
];

const styles = new CSSStyleSheet();
styles.replaceSync(`.box { display: flex; flex-wrap: wrap; justify-content: space-between; border: 1px solid var(--edge); border-radius: var(--radius) }
.box:has([aria-invalid="true"]) { border-color: var(--fault) }
.box > .tabs { margin: calc(.5rem - 3px) .4rem 0 }
.box > [id] { flex: 0 0 100% }
:is(.open, .own-comment) .tabs ~ [id] { border-top: 1px solid var(--line) }
.box :is(textarea, .preview) { border: 0 }
:is(.open, .own-comment) :is(textarea, .preview) { border-radius: 0 0 var(--radius) var(--radius) }
[role="toolbar"] { gap: .4rem !important }
[role="toolbar"] svg { display: block; width: 1.1rem; fill: none; stroke: currentColor; stroke-width: 1.5 }
.left { margin: 0 .75rem; color: var(--muted); text-align: end }`);
document.adoptedStyleSheets.push(styles);

function mark(text, before, after) {
  const { selectionStart: from, selectionEnd, value } = text;
  const chosen = value.slice(from, selectionEnd).trimEnd();
  const to = from + chosen.length;
  text.focus();
  text.setSelectionRange(from, to);
  const words = after ? before + chosen + after : (value[from - 1] > "\n" ? "\n" : "") + chosen.replace(/^/gm, before);
  document.execCommand("insertText", false, words); // deprecated, but unlike setRangeText it can be undone
  if (chosen && before === "[") text.setSelectionRange(to + 3, to + 11); // the address
  else if (after) text.setSelectionRange(from + before.length, to + before.length);
}

function makeTools(text) {
  const tools = parse('<div class="tabs" role="toolbar"></div>').firstChild;
  tools.ariaLabel = translate("formatting");
  for (const [name, key, path, ...marks] of TOOLS) {
    tools.append(parse(`<button type="button" tabindex="-1"><svg viewBox="0 0 16 16"><path d="${path}"/></svg></button>`));
    tools.lastChild.title = translate(name);
    tools.lastChild.addEventListener("click", () => mark(text, ...marks));
    text.addEventListener("keydown", (event) => {
      if (event.key !== key || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      mark(text, ...marks);
    });
  }
  tools.firstChild.tabIndex = 0;
  return tools;
}

function addCounter(text) {
  const counter = parse('<p class="left" aria-live="polite"></p>').firstChild;
  let timer;
  text.after(counter);
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { // in a pause
      const left = text.dataset.longest - [...text.value].length;
      counter.textContent = left <= text.dataset.longest / 5 ? translate("left", { count: left }) : "";
    }, 500);
  });
}

/** Returns what shows a form's first tab or its second. */
export function addTools(within, showMessage) {
  const [write, preview] = within.querySelectorAll("[role=tabpanel]");
  const tabs = [...within.querySelectorAll("[role=tab]")];
  const text = write.querySelector("textarea");
  const tools = makeTools(text);
  write.before(tools);
  addCounter(text);
  const show = (number) => {
    tabs.forEach((tab, index) => {
      tab.ariaSelected = String(index === number);
      tab.tabIndex = index === number ? 0 : -1;
    });
    tools.hidden = write.hidden = number === 1;
    preview.hidden = !write.hidden;
  };
  tabs[0].addEventListener("click", ({ detail }) => {
    show(0);
    if (detail) text.focus(); // whoever uses the keyboard stays at the tabs
  });
  tabs[1].addEventListener("click", async () => {
    const { ask } = await import("./forms.js");
    const reply = await ask(`${base}embed/preview`, new URLSearchParams({ text: text.value }));
    if (!reply.ok) return showMessage(reply.message);
    preview.replaceChildren(parse(reply.html));
    show(1);
  });
  for (const row of [tabs[0].parentElement, tools]) row.addEventListener("keydown", ({ key, target }) => {
    const next = { ArrowLeft: target.previousElementSibling, ArrowRight: target.nextElementSibling }[key];
    if (!next) return;
    target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    if (row !== tools) next.click();
  });
  return show;
}
