// The form that edits a comment, or replies to it, in the comment itself. It is a part of the page that the link leads
// to, so there is one form; without this script the link leads there.

import { text } from "./page_words.js";

const openForm = () => document.querySelector(".item .in-place");

const partOf = (html) => new DOMParser().parseFromString(html, "text/html").querySelector(".in-place");

/** Whether the open form has anything that would be lost. */
export function hasChanges() {
  const fields = openForm()?.querySelectorAll("input:not([type=hidden]), textarea") ?? [];
  return [...fields].some((field) => field.value !== field.defaultValue || field.ariaInvalid === "true");
}

/** Whether the open form may go: it has no changes, or the person says so. */
export const mayClose = () => !hasChanges() || confirm(text("discard"));

export function close() {
  const item = openForm()?.closest(".item");
  openForm()?.remove();
  item?.focus({ preventScroll: true });
}

/** Put a page's form into a comment, in place of the one that is open; return false where the page has none. */
export function show(html, item) {
  const part = partOf(html);
  if (!part || !item) return false;
  openForm()?.remove();
  item.append(document.adoptNode(part));
  const first = part.querySelector("[aria-invalid=true]") ?? part.querySelector("textarea, [data-cancel]");
  first.focus({ preventScroll: true });
  part.scrollIntoView({ block: "nearest" });
  return true;
}

/** Say that the form could not be sent; what was typed stays. */
export function showFailure() {
  const note = Object.assign(document.createElement("p"), { className: "error", role: "alert" });
  note.textContent = text("not_sent");
  openForm().querySelector("[role=alert].error.unsent")?.remove();
  note.classList.add("unsent");
  openForm().append(note);
}

/** Open the form that a link in a comment leads to. */
export async function open(link) {
  if (!mayClose()) return;
  const menu = link.closest("[popover]");
  if (menu?.matches(":popover-open")) menu.hidePopover();
  try {
    const answer = await fetch(link.href);
    if (answer.ok && show(await answer.text(), link.closest(".item"))) return;
  } catch { /* The browser shows what is wrong. */ }
  location.assign(link.href);
}

addEventListener("beforeunload", (event) => {
  if (hasChanges()) event.preventDefault();
});
