// Which article the page around the frame shows. A page that changes in place may show another one by now than this
// thread's; only the service knows which addresses are one article's.

import { framed, page, parse, tell } from "./main.js";

const PATIENCE = 1000; // milliseconds; an older embed.js never answers

let answer = () => {};

/** Read what the page around says of itself: because we asked, or because it has changed. */
export function hear(said) {
  const text = (value) => (typeof value === "string" ? value : "");
  const article = { page_title: text(said.title), page_url: text(said.url), page_canonical: text(said.canonical) };
  if (!said.asked) compare(article);
  else answer(said.derived ? article : { page_title: article.page_title });
}

async function compare(article) {
  const reply = await fetch(`${page.replace("?", "/same?")}&${new URLSearchParams(article)}`).catch(() => null);
  if (!reply?.ok || !(await reply.json()).same) tell("other"); // the page around loads that thread
}

/** Ask the page around what it shows at this moment, as fields of the form; none where it does not say. */
export function present() {
  if (!framed) return {};
  return new Promise((resolve) => {
    answer = resolve;
    setTimeout(resolve, PATIENCE, {});
    tell("where");
  });
}

/**
 * Ask the reader which of two articles the comment belongs to; `html` is the service's question. Calls `post` with the
 * fields that name the one chosen, and whether it is the page's other one.
 */
export function ask(form, html, post) {
  document.getElementById("other-article")?.remove();
  form.querySelector(".send").before(parse(html));
  const question = document.getElementById("other-article");
  question.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const { url, canonical = "", token } = button.dataset;
    question.remove();
    if (url) post({ url, canonical, token, parent: "" }, true);
    else post({}, false);
  });
  question.focus();
}
