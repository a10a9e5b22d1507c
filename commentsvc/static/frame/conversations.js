// Puts more of a thread into the page: what a reader asks to see, or has written.

import { parse, thread } from "./core.js";
import { translate } from "./words.js";

/** Put replies into their conversation, each under what it answers; one that is there already stays. */
export function placeReplies(items) {
  const list = thread.querySelector(`.conversation[data-root="${+items[0]?.dataset.root}"] > .replies`);
  if (!list) return;
  list.append(...items.filter((item) => !document.getElementById(item.firstElementChild.id)));

  const number = (item) => +item.firstElementChild.id.slice(8);
  const all = [...list.children].sort((one, other) => number(one) - number(other));
  const present = new Set(all.map(number));
  const below = Map.groupBy(all, ({ dataset }) => (present.has(+dataset.parent) ? +dataset.parent : 0));
  const order = [];
  const waiting = below.get(0).reverse();
  while (waiting.length) {
    const item = waiting.pop();
    order.push(item);
    waiting.push(...(below.get(number(item)) ?? []).reverse());
  }
  // Only those out of place: moving takes the focus away.
  order.forEach((item, index) => list.children[index] === item || list.insertBefore(item, list.children[index]));
}

/** Put a conversation into the list; of one that is there, only the replies it lacks. */
export function placeConversation(item, { first = false } = {}) {
  const list = document.getElementById("comments");
  if (list.querySelector(`:scope > [data-root="${+item.dataset.root}"]`)) placeReplies([...item.querySelectorAll(".reply")]);
  else if (first) list.prepend(item);
  else list.append(item);
}

/** Put what a link "Show more" promises in its place; it says so if that fails. */
export async function showMore(link) {
  if (link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  link.dataset.label ??= link.textContent;
  link.textContent = translate("loading");
  await insertMore(link).catch(() => {
    link.ariaBusy = null;
    link.textContent = translate("retry", link.dataset);
  });
}

async function insertMore(link) {
  const href = link.getAttribute("href");
  const answer = await fetch(`${href}${href.includes("?") ? "&" : "?"}fragment=1`);
  if (!answer.ok) throw new Error(answer.statusText);
  const { children } = parse(await answer.text());
  const items = [...children].filter((child) => child.matches("li"));
  const next = [...children].find((child) => child.matches(".more"));
  if (link.dataset.more === "roots") items.forEach((item) => placeConversation(item));
  else placeReplies(items);
  const hadFocus = document.activeElement === link;
  link.closest(".more").replaceWith(...(next ? [next] : []));
  if (hadFocus) items[0]?.querySelector(".comment").focus({ preventScroll: true });
}
