// The menu at each comment, and the forms that it opens: to report it, or to edit or delete one's own.

import { form as composer, load, page, parse, thread } from "./core.js";
import { storedReceipts } from "./receipt.js";
import { authHeaders } from "./session.js";
import { translate } from "./words.js";

const total = document.getElementById("count");
export const authorKey = () => composer?.elements.author_key.value || load("localStorage", "key") || load("sessionStorage", "key") || "";
let own = new Map(); // until when the reader's own comments can be edited, by id

/** Close every menu, except one. */
function closeMenus(except) {
  for (const menu of thread.querySelectorAll(".menu[open]")) menu.open = menu === except;
}

document.addEventListener("click", ({ target }) => closeMenus(target.closest(".menu")));
thread.addEventListener("keydown", ({ key, target }) => {
  const menu = key === "Escape" && target.closest(".menu");
  if (!menu) return;
  closeMenus();
  menu.firstElementChild.focus();
});
thread.addEventListener("toggle", ({ target }) => target.matches(".menu") && fill(target), true);

/** Offer to edit and delete what is the reader's. */
export function showOwn(mine) {
  own = new Map(mine.map(({ id, edit_seconds: seconds }) => [id, Date.now() + seconds * 1000]));
  thread.querySelectorAll(".menu[open]").forEach(fill);
  for (const { id, waits } of mine) {
    const comment = waits && document.getElementById(`comment-${id}`);
    if (!comment || comment.querySelector(".pending")) continue;
    const note = document.createElement("p");
    Object.assign(note, { className: "pending", textContent: translate("changeWaits") });
    comment.querySelector(".text")?.before(note);
  }
}

function fill(menu) {
  const report = menu.querySelector("[rel]"); // its own comment, which waits, nobody reports
  const id = menu.parentElement.id.slice(8);
  const until = own.get(+id);
  const kinds = until === undefined || !report ? [] : until > Date.now() ? ["edit", "delete"] : ["delete"];
  const links = kinds.map((kind) => ({ textContent: translate(kind), href: report.href.replace(/report(?=$|\?)/, kind) }));
  const href = storedReceipts()[id];
  if (href) links.push({ textContent: translate("receipt"), href, target: "_blank" });
  const shown = menu.querySelectorAll(report ? "a:not([rel])" : "[target]");
  if (shown.length === links.length) return; // or they would lose the focus
  shown.forEach((link) => link.remove());
  for (const facts of links) {
    const link = Object.assign(document.createElement("a"), facts);
    link.style.marginInlineStart = "1rem";
    menu.append(link);
  }
}

/** Ask the service, which answers scripts with JSON. */
export async function ask(path, body) {
  const headers = { Accept: "application/json", "X-Author-Key": authorKey(), ...authHeaders() };
  const url = new URL(path, location.href);
  url.searchParams.set("lang", document.documentElement.lang);
  if (!body) url.searchParams.set("fragment", 1);
  return fetch(url, { method: body ? "POST" : "GET", body, headers })
    .then(async (reply) => ({ ok: reply.ok, ...(await reply.json()) }))
    .catch(() => ({ message: translate("unreachable") }));
}

export async function openForm(link) {
  if (link.target) return void open(link.href, "_blank", "noopener");
  const menu = link.closest(".menu");
  const comment = menu.parentElement;
  if (comment.querySelector("form")) return;
  const path = link.getAttribute("href");
  const answer = await ask(path);
  menu.open = false;
  comment.append(parse(answer.html ?? '<p class="error" role="alert"></p>'));
  if (!answer.ok) return void (comment.lastElementChild.textContent = answer.message);
  const form = comment.querySelector("form");
  const { elements } = form;
  const text = comment.querySelector(".text");
  text.hidden = elements.text;
  const error = form.querySelector(".error");
  const showError = (message) => Object.assign(error, { textContent: message, hidden: false });
  if (elements.text) (await import("./text_box.js")).addTools(form, showError);
  const close = () => {
    form.remove();
    text.hidden = false;
    menu.firstElementChild.focus({ preventScroll: true });
  };
  form.querySelector(".cancel").addEventListener("click", (event) => {
    event.preventDefault();
    close();
  });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    elements.author_key.value = authorKey();
    if (elements.script) elements.script.value = 1;
    const result = await ask(path, new URLSearchParams(new FormData(form)));
    if (result.ok) return showResult(comment, form, result);
    for (const name in result.own) if (elements[name]) elements[name].value = result.own[name] ?? "";
    showError(result.message);
  });
  (elements.text ?? form.querySelector("[type=radio], button")).focus({ preventScroll: true });
}

/** Show the comment as it is now, or that there is none any more, and what became of what was sent. */
function showResult(comment, form, { count, html, message }) {
  const thanks = document.createElement("p");
  Object.assign(thanks, { className: "pending", role: "status", tabIndex: -1, textContent: message });
  const fresh = html && parse(html).querySelector(".comment");
  if (fresh) comment.replaceWith(fresh);
  if (fresh) fresh.append(thanks);
  else if (html === "") comment.replaceChildren(thanks);
  else {
    form.replaceWith(thanks);
    comment.querySelector(".menu").remove();
  }
  thanks.focus({ preventScroll: true });
  if (total && count >= 0) {
    total.dataset.count = count;
    total.textContent = translate(count ? "count" : "none", { count });
  }
}

// Under a closed article there is no form, whose script would ask what is the reader's own.
if (!composer && (authorKey() || load("localStorage", "signed"))) ask(page.replace("?", "/own?")).then((own) => {
  if (own.mine) showOwn(own.mine);
  if (own.votes) import("./likes.js").then(({ showVotes }) => showVotes(own));
});
