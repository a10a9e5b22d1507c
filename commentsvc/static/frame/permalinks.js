// Shows the comment that a link leads to, on this page of the thread or not.

import { highlight, page, parse, thread } from "./core.js";
import { translate } from "./words.js";

/** Where nothing is imported, "#comment-5" is ours as "#comment-c5" is; an older embed.js says "5". */
const OWN = "imported" in thread.dataset ? /^#comment-c(\d{1,15})$/ : /^(?:#comment-c?)?(\d{1,15})$/;

/** `link`: the number of a comment, or an anchor of the host page, which may be that of the system it came from. */
export async function show(link) {
  let id = typeof link === "number" ? link : OWN.exec(link)?.[1];
  let comment = document.getElementById(`comment-${id}`);
  if (!comment && document.getElementById("comments")) {
    const wanted = id ?? `${link}`.replace(/^(?=\d)/, "comment-");
    const answer = await fetch(`${page}&comment=${encodeURIComponent(wanted)}&fragment=1`).catch(() => null);
    if (!answer?.ok) return;
    id = new URL(answer.url).searchParams.get("comment"); // the service has sent us on to the comment's number
    const item = parse(await answer.text()).getElementById(`comment-${id}`)?.closest(".conversation");
    if (item) (await import("./conversations.js")).placeConversation(item, { first: true });
    comment = document.getElementById(`comment-${id}`);
  }
  if (comment) highlight(comment, false);
}

/** Copy the link, or follow it where that is refused. */
export async function copy(link) {
  const time = link.querySelector("time");
  try {
    await navigator.clipboard.writeText(link.href);
  } catch {
    return open(link.href, "_top");
  }
  link.textContent = document.getElementById("status").textContent = translate("linkCopied");
  if (time) setTimeout(() => link.replaceChildren(time), 3e3);
}
