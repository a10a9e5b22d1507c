// Follows a thread that stays open. What was removed leaves at once; the rest comes by a click, so that nothing moves.

import { placeConversation, placeReplies } from "./conversations.js";
import { highlight, page, parse, thread } from "./core.js";
import { translate } from "./words.js";

const SOON = 2e4; // milliseconds
const total = document.getElementById("count");
const shown = (id) => document.getElementById(`comment-${id}`);
const number = (comment) => +comment.id.slice(8);
const fresh = new Map();
const edited = new Map();
const button = document.createElement("button");
button.style.cssText = "position: absolute; inset-inline-end: 4px; z-index: 1";
button.onclick = insert;
let known = [...thread.querySelectorAll(".comment:not(.placeholder, .held)")].map(number);
let tag, timer, near;
let active = Date.now();
let next = active + Math.random() * 2 * SOON;

function plan(at) {
  clearTimeout(timer);
  next = at;
  timer = near && !document.hidden && at - active < 90 * SOON && setTimeout(ask, at - Date.now());
}

/** The reader is active: ask soon. */
function wake() {
  active = Date.now();
  if (!timer) plan(Math.max(next, active + Math.random() * 2000));
}

async function ask() {
  let wait = SOON * (1 + 2 * Math.random()) * (1 + (Date.now() - active) / (30 * SOON));
  try {
    const answer = await fetch(`${page}&live=1`, { cache: "no-store", credentials: "omit", headers: tag ? { "If-None-Match": tag } : {} });
    if (answer.ok) compare(parse(await answer.text()));
    else if (answer.status !== 304) throw answer.headers.get("Retry-After");
    tag = answer.headers.get("ETag");
  } catch (seconds) {
    wait = Math.max(60, +seconds || 0) * 1000 * (1 + Math.random()); // not everybody at once
  }
  plan(Date.now() + wait);
}

function compare(changes) {
  const [{ dataset, textContent }, note] = changes.children;
  const ids = dataset.ids.split(" ").map(Number);
  const gone = known.filter((id) => !ids.includes(id) && (id > ids.at(-1) || !dataset.older));
  let added = ids.filter((id) => id && !known.includes(id));
  // At first: what this page lacks may be on later pages, unless it is the newest.
  if (!tag) added = added.filter((id) => !shown(id)).slice(0, Math.max(0, dataset.count - total.dataset.count + gone.length));
  for (const id of added.reverse()) if (!shown(id)) fresh.set(id);
  for (const id of gone) if (!fresh.delete(id)) remove(shown(id), note);
  for (const comment of changes.querySelectorAll(".comment")) {
    const id = number(comment);
    const old = shown(id);
    if (old) fresh.delete(id);
    else if (fresh.has(id)) fresh.set(id, comment.parentElement);
    if (old?.matches(".held") || (old && old.querySelector(".text")?.innerHTML !== comment.querySelector(".text").innerHTML)) edited.set(id, comment);
  }
  known = ids;
  total.dataset.count = dataset.count;
  total.textContent = textContent;
  offer();
}

function remove(comment, note) {
  if (!comment) return;
  comment.style.minHeight = `${comment.offsetHeight}px`;
  comment.querySelectorAll(":scope > :not(form)").forEach((part) => part.remove());
  comment.prepend(note.cloneNode(true));
}

function offer() {
  const count = fresh.size;
  if (!count) return button.remove();
  button.textContent = document.getElementById("status").textContent = translate("added", { count });
  if (!button.isConnected) total.after(button); // or it would lose the focus
  // Where the reader looks, but never above a button that they are about to press.
  new IntersectionObserver(([{ intersectionRect }], observer) => {
    observer.disconnect();
    button.style.top = document.activeElement?.form ? "" : `${scrollY + intersectionRect.bottom - 60}px`;
  }).observe(document.body);
}

function showEdits() {
  for (const [id, comment] of edited) {
    const old = shown(id);
    if (old?.querySelector("form") || old?.contains(document.activeElement)) continue;
    old?.replaceWith(comment);
    edited.delete(id);
  }
}

async function insert() {
  const ids = [...fresh.keys()];
  for (const item of fresh.values()) {
    if (item?.matches(".reply")) placeReplies([item]);
    else if (item) placeConversation(item, { first: thread.dataset.order === "newest" });
  }
  fresh.clear();
  showEdits();
  offer();
  // Those whose conversation is on a later page, or that waited for a moderator for long.
  for (const id of ids.filter((id) => !shown(id)).slice(0, 9)) await (await import("./permalinks.js")).show(id);
  const first = shown(ids[0]);
  if (first) highlight(first);
}

for (const type of ["pointermove", "keydown"]) addEventListener(type, wake, { passive: true });
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return wake();
  showEdits(); // nobody looks
  plan(next);
});
if (total) new IntersectionObserver(([{ isIntersecting }]) => {
  near = isIntersecting;
  if (near) wake();
  else plan(next);
}).observe(thread);
