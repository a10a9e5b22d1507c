// The queue by keyboard, and without reloading the page. Everything here is a shorter way to a link or a button
// that stands on the page; without this script they work by themselves.

import * as inlineForm from "./inline_form.js";
import { counted } from "./page_words.js";

const VERDICT_KEYS = { a: ["approved", "keep", "restore"], s: ["spam"], d: ["trash"] };
const items = () => [...document.querySelectorAll(".item")];
let current = null;
let busy = false;

/** Make one comment the one that keys act on, and move the focus there. */
function select(item, { quiet = false } = {}) {
  items().forEach((each) => each.removeAttribute("aria-current"));
  current = item ?? null;
  if (!current) return;
  current.setAttribute("aria-current", "true");
  if (quiet) return;
  current.focus({ preventScroll: true });
  current.scrollIntoView({ block: "nearest" });
}

function moveBy(steps) {
  const all = items();
  const index = all.indexOf(current);
  select(all[index < 0 ? 0 : Math.min(Math.max(index + steps, 0), all.length - 1)]);
}

/** Take the answer's lists, main part and title into this page; false where it is not a page of ours. */
function replacePage(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  if (!fresh.querySelector("main") || !fresh.querySelector(".side")) return false;
  for (const part of ["main", ".side"]) {
    document.querySelector(part).replaceWith(document.adoptNode(fresh.querySelector(part)));
  }
  document.title = fresh.title;
  return true;
}

/** Ask for a page and show it in place; where that fails, go there as the browser would. */
async function loadPage(url, options, fallback, item = null) {
  if (busy) return;
  busy = true;
  document.querySelector("main").setAttribute("aria-busy", "true");
  const { hash, searchParams } = new URL(url, location.href);
  const next = searchParams.get("next") ?? hash.replace("#comment-", "");
  const checked = new Set(checkboxes().filter((box) => box.checked).map((box) => box.value));
  try {
    const answer = await fetch(url, options);
    const html = await answer.text();
    if (item && answer.status !== 200 && inlineForm.show(html, item)) return;
    const isPage = answer.redirected || new URL(answer.url).pathname === location.pathname;
    const isShown = (answer.status === 200 || answer.status === 409) && replacePage(html);
    // What ended in a redirect has been done: sending it again would do it twice.
    if (!isShown && answer.redirected) return location.assign(answer.url);
    if (!isShown) throw new Error("no page");
    if (isPage) history.replaceState(null, "", answer.url);
    showQueue(next, checked);
  } catch {
    return fallback();
  } finally {
    busy = false;
    document.querySelector("main").removeAttribute("aria-busy");
  }
  continueJob();
}

function submitForm(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const item = form.closest(".in-place")?.closest(".item");
  const send = () => HTMLFormElement.prototype.submit.call(withButton(form, button));
  // Not `form.action`: a field may have that name.
  loadPage(form.getAttribute("action"), { method: "POST", body }, item ? inlineForm.showFailure : send, item);
}

/** A form that is submitted by a script does not say which button it was. */
function withButton(form, button) {
  if (button?.name) {
    const input = Object.assign(document.createElement("input"), { type: "hidden" });
    input.name = button.name;
    input.value = button.value;
    form.append(input);
  }
  return form;
}

function decide(verdicts) {
  const buttons = [...(current?.querySelectorAll(".actions [name=verdict]") ?? [])];
  const wanted = verdicts.map((value) => buttons.find((button) => button.value === value)).find(Boolean);
  wanted?.click();
}

function clickIn(selector) {
  current?.querySelector(selector)?.click();
}

const checkboxes = () => [...document.querySelectorAll("[name=pick]")];

/** Say how many are selected, and offer all only where that is a question. */
function updateSelection() {
  if (!document.querySelector("#bulk")) return;
  const all = checkboxes();
  const count = all.filter((box) => box.checked).length;
  const every = document.querySelector("#every");
  every.closest("label").hidden = false;
  every.checked = count > 0 && count === all.length;
  every.indeterminate = count > 0 && count < all.length;
  const matching = document.querySelector("#matching");
  if (matching) {
    matching.closest("label").hidden = !every.checked && !matching.checked;
    if (!every.checked) matching.checked = false;
  }
  const label = document.querySelector("#ticked");
  label.hidden = count === 0;
  label.textContent = counted("selected", count);
  every.nextElementSibling.classList.toggle("visually-hidden", count > 0);
}

function showQueue(next, checked = new Set()) {
  checkboxes().forEach((box) => { box.checked = checked.has(box.value); });
  updateSelection();
  document.querySelector("#show-keys")?.removeAttribute("hidden");
  if (document.querySelector("#onward")) return;
  const following = next && document.getElementById(`comment-${next}`);
  if (document.querySelector(".item")) select(following || items()[0], { quiet: !following });
  else document.querySelector("main").focus();
}

/** Begin the next round of a long job. */
function continueJob() {
  document.querySelector("#onward button")?.click();
}

function toggleHelp() {
  const dialog = document.querySelector("#keys");
  if (dialog) dialog.open ? dialog.close() : dialog.showModal();
}

const SHORTCUTS = {
  j: () => moveBy(1),
  k: () => moveBy(-1),
  e: () => clickIn('[data-in-place][href*="/edit"]'),
  r: () => clickIn('[data-in-place][href*="/reply"]'),
  o: () => clickIn("[data-open]"),
  x: () => current?.querySelector("[name=pick]")?.click(),
  z: () => (document.querySelector("#undo button") ?? undoLast())?.click(),
  "/": () => document.querySelector("#q")?.focus(),
  "?": toggleHelp,
};

/** Undo the last thing this person did, once the notice about it is gone. */
function undoLast() {
  const form = document.querySelector("#take-back");
  if (form) submitForm(form);
}

/** In a form in a comment: send it, or close it where nothing would be lost. */
function formKey(event) {
  const part = event.target.closest(".in-place");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) part?.querySelector("form")?.requestSubmit();
  if (event.key === "Escape" && part && !inlineForm.hasChanges()) inlineForm.close();
}

document.addEventListener("keydown", (event) => {
  formKey(event);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
  const act = VERDICT_KEYS[event.key] ? () => decide(VERDICT_KEYS[event.key]) : SHORTCUTS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !form.closest("main") || form.matches("[data-leaves-queue]")) return;
  event.preventDefault();
  if (form.closest(".in-place") || inlineForm.mayClose()) submitForm(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (event.target.closest("#show-keys")) toggleHelp();
  const link = event.target.closest("a:is([data-open], [data-in-place], [data-cancel])");
  if (!link?.closest(".item") || !isPlain) return;
  event.preventDefault();
  if (link.matches("[data-in-place]")) inlineForm.open(link);
  else if (!inlineForm.mayClose()) return;
  else if (link.matches("[data-cancel]")) inlineForm.close();
  else loadPage(link.href, {}, () => location.assign(link.href));
});

document.addEventListener("change", (event) => {
  if (event.target.id === "every") checkboxes().forEach((box) => { box.checked = event.target.checked; });
  if (event.target.matches("#every, #matching, [name=pick]")) updateSelection();
});

document.addEventListener("focusin", (event) => {
  const item = event.target.closest(".item");
  if (item && item !== current) select(item, { quiet: true });
});

showQueue(location.hash.replace("#comment-", ""));
continueJob();
