// What is new since the last visit: a line that leads there, and marks.

import { parse, thread } from "./core.js";
import { translate } from "./words.js";

const marks = new CSSStyleSheet();
document.adoptedStyleSheets.push(marks);
let shown;

export function showNews({ comments, html }) {
  if (html === shown) return;
  shown = html;
  document.getElementById("news")?.remove();
  thread.querySelector(".list-head").before(parse(html));
  document.getElementById("status").textContent = document.getElementById("news").textContent;
  marks.replaceSync(`:is(#comment-${comments.join(", #comment-")}) .when::after { content: ${JSON.stringify(` · ${translate("fresh")}`)}; color: var(--accent); }`);
}

// main.js has led to one by now.
document.addEventListener("click", ({ target }) => {
  const link = target.closest("#news a");
  if (!link) return;
  const ids = link.dataset.ids.split(" ");
  const index = ids.indexOf(link.hash.slice(9)) + 1;
  link.lastChild.textContent = ` (${index}/${ids.length})`;
  link.hash = `comment-${ids[index % ids.length]}`;
});
