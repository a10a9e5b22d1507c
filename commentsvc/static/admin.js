// The queue by keyboard, and without reloading the page. Everything here is a shorter way to a link or a button
// that stands on the page; without this script they work by themselves.

const KEYS = { a: ["approved", "keep", "restore"], s: ["spam"], d: ["trash"] };
const items = () => [...document.querySelectorAll(".item")];
let current = null;
let busy = false;

/** Make one comment the one that keys act on, and move the focus there. */
function choose(item, { quiet = false } = {}) {
  items().forEach((one) => one.removeAttribute("aria-current"));
  current = item ?? null;
  if (!current) return;
  current.setAttribute("aria-current", "true");
  if (quiet) return;
  current.focus({ preventScroll: true });
  current.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = items();
  const at = all.indexOf(current);
  choose(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

/** Take the answer's lists, main part and title into this page; false where it is not a page of ours. */
function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  if (!fresh.querySelector("main") || !fresh.querySelector(".side")) return false;
  for (const part of ["main", ".side"]) {
    document.querySelector(part).replaceWith(document.adoptNode(fresh.querySelector(part)));
  }
  document.title = fresh.title;
  return true;
}

/** Ask for a page and show it in place; where that fails, go there as the browser would. */
async function load(url, options, instead) {
  if (busy) return;
  busy = true;
  document.querySelector("main").setAttribute("aria-busy", "true");
  const { hash, searchParams } = new URL(url, location.href);
  const next = searchParams.get("next") ?? hash.replace("#comment-", "");
  const ticked = new Set(picks().filter((box) => box.checked).map((box) => box.value));
  try {
    const answer = await fetch(url, options);
    const html = await answer.text();
    const listed = new URL(answer.url).pathname === location.pathname;
    if ((answer.status !== 200 && answer.status !== 409) || !show(html)) throw new Error("no page to show");
    if (listed) history.replaceState(null, "", answer.url);
    begin(next, ticked);
  } catch {
    instead();
  } finally {
    busy = false;
    document.querySelector("main").removeAttribute("aria-busy");
  }
}

function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const instead = () => HTMLFormElement.prototype.submit.call(withValue(form, button));
  load(form.action, { method: "POST", body }, instead);
}

/** A form that is submitted by a script does not say which button it was. */
function withValue(form, button) {
  if (button?.name) {
    const input = Object.assign(document.createElement("input"), { type: "hidden" });
    input.name = button.name;
    input.value = button.value;
    form.append(input);
  }
  return form;
}

function press(verdicts) {
  const buttons = [...(current?.querySelectorAll(".actions [name=verdict]") ?? [])];
  const wanted = verdicts.map((value) => buttons.find((button) => button.value === value)).find(Boolean);
  wanted?.click();
}

function follow(selector) {
  current?.querySelector(selector)?.click();
}

const picks = () => [...document.querySelectorAll("[name=pick]")];

/** Say how many are ticked, and offer all only where that is a question. */
function tally() {
  const bar = document.querySelector("#bulk");
  if (!bar) return;
  const all = picks();
  const many = all.filter((box) => box.checked).length;
  const every = document.querySelector("#every");
  every.closest("label").hidden = false;
  every.checked = many > 0 && many === all.length;
  every.indeterminate = many > 0 && many < all.length;
  const matching = document.querySelector("#matching");
  if (matching) {
    matching.closest("label").hidden = !every.checked && !matching.checked;
    if (!every.checked) matching.checked = false;
  }
  const said = document.querySelector("#ticked");
  said.hidden = many === 0;
  said.textContent = `${many} selected`;
  bar.classList.toggle("nothing-selected", many === 0 && !matching?.checked);
}

function begin(next, ticked = new Set()) {
  picks().forEach((box) => { box.checked = ticked.has(box.value); });
  tally();
  const onward = document.querySelector("#onward");
  if (onward) return onward.querySelector("button").click();
  const found = next && document.getElementById(`comment-${next}`);
  if (document.querySelector(".item")) choose(found || items()[0], { quiet: !found });
  else document.querySelector("main").focus();
}

function help() {
  const dialog = document.querySelector("#keys");
  if (dialog) dialog.open ? dialog.close() : dialog.showModal();
}

const DEEDS = {
  j: () => step(1),
  k: () => step(-1),
  e: () => follow('.actions a[href*="/edit"]'),
  r: () => follow('.actions a[href*="/reply"]'),
  o: () => follow("[data-open]"),
  x: () => current?.querySelector("[name=pick]")?.click(),
  z: () => (document.querySelector("#undo button") ?? lastDeed())?.click(),
  "/": () => document.querySelector("#q")?.focus(),
  "?": help,
};

/** The last thing this person did, once the notice about it is gone. */
function lastDeed() {
  const form = document.querySelector("#take-back");
  if (form) send(form);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
  const deed = KEYS[event.key] ? () => press(KEYS[event.key]) : DEEDS[event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !form.closest("main")) return;
  event.preventDefault();
  send(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const link = event.target.closest("a[data-open]");
  if (!link || !plain) return;
  event.preventDefault();
  load(link.href, {}, () => location.assign(link.href));
});

document.addEventListener("change", (event) => {
  if (event.target.id === "every") picks().forEach((box) => { box.checked = event.target.checked; });
  if (event.target.matches("#every, #matching, [name=pick]")) tally();
});

document.addEventListener("focusin", (event) => {
  const item = event.target.closest(".item");
  if (item && item !== current) choose(item, { quiet: true });
});

begin(location.hash.replace("#comment-", ""));
