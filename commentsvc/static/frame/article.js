// Which article the host page shows. A page that changes in place may show another one by now than this thread's;
// only the service knows which addresses are one article's.

import { framed, page, parse, sendToHost } from "./core.js";

const PATIENCE = 1000; // milliseconds; an older embed.js never answers

let resolveArticle = () => {};

/** Read what the host page says of itself: because we asked, or because it has changed. */
export function receivePage(data) {
  const text = (value) => (typeof value === "string" ? value : "");
  const article = { page_title: text(data.title), page_url: text(data.url), page_canonical: text(data.canonical) };
  if (!data.asked) compare(article);
  else resolveArticle(data.derived ? article : { page_title: article.page_title });
}

async function compare(article) {
  const reply = await fetch(`${page.replace("?", "/same?")}&${new URLSearchParams(article)}`).catch(() => null);
  if (!reply?.ok || !(await reply.json()).same) sendToHost("other"); // the host page loads that thread
}

/** Ask the host page what it shows at this moment, as fields of the form; none where it does not say. */
export function askHost() {
  if (!framed) return {};
  return new Promise((resolve) => {
    resolveArticle = resolve;
    setTimeout(resolve, PATIENCE, {});
    sendToHost("where");
  });
}

/**
 * Ask the reader which of two articles the comment belongs to; `html` is the service's question. Calls `submit` with
 * the fields that name the one chosen, and whether it is the page's other one.
 */
export function askReader(form, html, submit) {
  document.getElementById("other-article")?.remove();
  form.querySelector(".send").before(parse(html));
  const question = document.getElementById("other-article");
  question.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const { url, canonical = "", token } = button.dataset;
    question.remove();
    if (url) submit({ url, canonical, token, parent: "" }, true);
    else submit({}, false);
  });
  question.focus();
}
