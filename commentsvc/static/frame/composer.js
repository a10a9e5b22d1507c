// The comment form with script: opens when entered, keeps what is typed, answers in place, posts without a reload.

import { placeConversation, placeReplies } from "./conversations.js";
import {
  draft, draftKey, earlierDraftKey, form, framed, highlight, hostFacts, load, loadLogin, page, parse, sendToHost, thread,
} from "./core.js";
import { authHeaders, lastVisit, randomHex, save, saveVisit } from "./session.js";
import { addTools } from "./text_box.js";
import { translate } from "./words.js";

const DAY = 86400000;
const DETAILS = ["name", "email", "website"];
const fields = form.elements;
const text = fields.text;
const submit = form.querySelector('[type="submit"]');
const cancel = form.querySelector(".cancel");
const heading = document.getElementById("reply-heading");
const status = document.getElementById("status");
const total = document.getElementById("count");
const website = form.querySelector(".website");
const remember = document.getElementById("remember");
const claims = form.querySelector(".claims");
const loginModule = await loadLogin();
const home = document.createComment("form");
form.before(home);

// The service knows this browser's comments by a key: of this tab, or of remembered details.
let savedKey = load("localStorage", "key") ?? load("sessionStorage", "key");
const authorKey = savedKey ?? randomHex(24);
fields.author_key.value = authorKey;
if (typeof hostFacts?.title === "string") fields.title.value ||= hostFacts.title.slice(0, 300);

function openForm() {
  form.classList.add("open");
  resize();
  reader ??= loadReader();
}

function resize() {
  if (CSS.supports("field-sizing: content")) return;
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

export function replyTo(link) {
  const comment = link.closest(".comment");
  fields.parent.value = comment.id.slice(8); // comment-42
  const name = document.createElement("bdi");
  name.textContent = comment.querySelector(".name").textContent;
  const [before, after] = translate("replyTo", heading.dataset).split("<bdi>%(name)s</bdi>");
  heading.replaceChildren(before, name, after);
  cancel.hidden = false;
  comment.after(form);
  openForm();
  text.focus({ preventScroll: true });
  saveDraft();
}

function moveHome() {
  fields.parent.value = "";
  heading.textContent = heading.dataset.heading;
  cancel.hidden = true;
  home.after(form);
}

cancel.addEventListener("click", (event) => {
  event.preventDefault();
  const parent = document.getElementById(`comment-${fields.parent.value}`);
  moveHome();
  saveDraft();
  (parent?.querySelector(".reply-link") ?? text).focus({ preventScroll: true });
});

form.addEventListener("focusin", openForm);
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
  if (event.key === "Escape" && !cancel.hidden) cancel.click();
});

// --- `reader`: the latest answer of loadReader; null until it is needed.

let reader = null;
let forms;
let mine = [];
let readerAsked = 0;
let readerAskedAt = 0;
let shownMark; // the member's whom the form shows; null for a guest
// On a page of its own: after "Change", or after an error in a guest's form.
const staysGuest = !framed && fields.identity.value === "guest"
  && (!location.pathname.endsWith("/thread") || new URLSearchParams(location.search).has("as"));

/** Ask for what is this reader's alone, and a fresh form token. Says whether somebody is logged in. */
async function loadReader() {
  const asked = ++readerAsked;
  readerAskedAt = Date.now();
  try {
    savedKey ??= load("sessionStorage", "key"); // a like has saved it
    const headers = { ...authHeaders(), ...(savedKey && { "X-Author-Key": authorKey }) };
    const answer = await fetch(`${page.replace("?", "/own?")}&visit=${lastVisit}`, { headers });
    if (!answer.ok) return false;
    const own = await answer.json();
    if (asked === readerAsked) {
      showReader(own);
      saveVisit(own.visit);
      if (own.votes) import("./likes.js").then(({ showVotes }) => showVotes(own));
      if (own.news) import("./news.js").then(({ showNews }) => showNews(own.news));
      for (const { html, id } of own.held) if (!document.getElementById(`comment-${id}`)) placeComment(html);
      showCount();
      showMine(own.mine);
    }
    return Boolean(own.member);
  } catch {
    return false; // The page's own token serves as well.
  }
}

async function showMine(comments) {
  mine = comments;
  if (mine.length) forms ??= import("./forms.js");
  (await forms)?.showOwn(mine);
}

/** Show who is logged in now, and say so where that was another. */
function showReader({ claim = "", csrf, member, token }) {
  fields.token.value = token;
  const changed = shownMark !== undefined && shownMark !== (member?.mark ?? null);
  shownMark = member?.mark ?? null;
  if (!staysGuest) loginModule?.showMember(member, csrf);
  if (changed && !member) status.textContent = translate("nobody");
  else if (changed && fields.identity.value === "member") status.textContent = translate("another", member);
  save("localStorage", "signed", member && true);
  if (claims && (changed || !claim || !claims.firstChild)) claims.replaceChildren(parse(claim));
}

// A member may take what this browser wrote as a guest.
claims?.addEventListener("click", async ({ target }) => {
  if (target.type !== "button") return;
  const { body } = await post(`${form.getAttribute("action")}/claim`, new URLSearchParams(new FormData(form)));
  claims.replaceChildren(body.html ? parse(body.html) : body.message);
  claims.focus();
});

// Another tab may log in or out: in front, this one asks who is there, at most once a second.
let refreshTimer;

function refreshReader() {
  if (!reader || document.hidden) return;
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(() => (reader = loadReader()), Math.max(0, readerAskedAt + 1000 - Date.now()));
}

addEventListener("focus", refreshReader);
addEventListener("pageshow", refreshReader);
document.addEventListener("visibilitychange", refreshReader);

// --- What is typed is saved: the draft for a day, the details if the box is ticked.

function saveDraft() {
  const { value } = text;
  save("localStorage", draftKey, value.trim() ? { text: value, parent: fields.parent.value, at: Date.now() } : null);
}

remember?.addEventListener("change", () => {
  if (!remember.checked) {
    save("localStorage", "details", null);
    save("localStorage", "key", null);
    saveVisit();
    save("localStorage", "receipts", null);
  }
});

const details = load("localStorage", "details");
if (details && remember) {
  remember.checked = true;
  for (const name of DETAILS) if (fields[name]) fields[name].value ||= details[name] ?? "";
  if (details.website) website?.setAttribute("open", "");
}

website?.querySelector("summary").addEventListener("click", (event) => {
  event.preventDefault(); // the field takes the place of what is pressed, and the focus
  website.open = true;
  fields.website.focus();
});

function showError(name, message) {
  const element = form.querySelector(`[data-error="${CSS.escape(name)}"]`);
  if (!element) return;
  element.textContent = message;
  element.hidden = !message;
  if (fields[name] instanceof HTMLElement) {
    if (message) fields[name].setAttribute("aria-invalid", "true");
    else fields[name].removeAttribute("aria-invalid");
  }
}

export function showErrors(errors) {
  for (const name of ["form", "text", "code", ...DETAILS, "notify_email"]) showError(name, errors[name] ?? "");
  const first = ["text", "email", "name", "website", "code", "notify_email"].find((name) => errors[name] && fields[name]);
  if (first) {
    if (first === "text") showTab(0);
    fields[first].closest("details")?.setAttribute("open", "");
    fields[first].focus();
  }
}

/** What to say of fields that are asked for and empty, by name. */
function findMissing() {
  const asked = fields.identity.value === "member" ? ["text"] : ["text", "email", "name", "website"];
  const missing = asked.filter((name) => fields[name]?.required && !fields[name].value.trim());
  return Object.fromEntries(missing.map((name) => [name, translate(name)]));
}

const showTab = addTools(form, (message) => showErrors({ text: message }));

// --- Sending. `sent`: whether the form has gone out as it stands.

let sent = false;

form.addEventListener("input", (event) => {
  if (sent) fields.key.value = ""; // another text is another comment
  sent = false;
  if (event.target === text) {
    resize();
    saveDraft();
  }
  if (event.target.name) showError(event.target.name, "");
});

async function post(path, body) {
  try {
    const headers = { Accept: "application/json", ...authHeaders() };
    const answer = await fetch(path, { method: "POST", body, headers });
    const json = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    return { ok: answer.ok, body: { message: translate("unclear"), ...json } };
  } catch {
    return { ok: false, body: { message: translate("unsent") } };
  }
}

/** Send the form as whom it shows now; `more` replaces fields of the same name. */
export async function postForm(more, path = form.getAttribute("action")) {
  fields.key.value ||= randomHex(24);
  sent = true;
  const body = new URLSearchParams(new FormData(form));
  body.set("script", 1);
  for (const name in more) body.set(name, more[name]);
  const reply = await post(path, body);
  if (!reply.body.token) return reply;
  body.set("token", reply.body.token);
  return post(path, body);
}

/** Post the comment: under the article that the page shows, or under the one that was `chosen` of two. */
export async function submitComment(chosen, elsewhere = false) {
  if (submit.disabled) return;
  const missing = findMissing();
  showErrors(missing);
  if (Object.keys(missing).length) return;
  const label = submit.textContent;
  submit.disabled = true;
  submit.textContent = submit.dataset.sending;
  const article = await import("./article.js").then(({ askHost }) => askHost()).catch(() => ({}));
  const reply = await postForm(chosen ? { page_title: elsewhere ? article.page_title : "", ...chosen } : article);
  submit.disabled = false;
  submit.textContent = label;
  if (reply.ok) return showPosted(reply.body, elsewhere);
  if (reply.body.choice) return (await import("./article.js")).askReader(form, reply.body.choice, submitComment);
  if (reply.body.own) showReader(reply.body.own);
  showErrors(reply.body.errors ?? { form: reply.body.message });
}

async function showPosted({ count, held, html, id, mine: added, note = "", notice = "", receipt }, elsewhere) {
  if (receipt) import("./receipt.js").then(({ storeReceipt }) => storeReceipt(id, receipt, remember?.checked));
  save("localStorage", draftKey, null);
  save("sessionStorage", "key", authorKey);
  savedKey = authorKey;
  if (remember?.checked) {
    const typed = DETAILS.filter((name) => fields[name]).map((name) => [name, fields[name].value]);
    save("localStorage", "details", Object.fromEntries(typed));
    save("localStorage", "key", authorKey);
  }
  saveVisit();
  if (elsewhere) return sendToHost("other", { comment: id });
  fields.code?.dispatchEvent(new Event("posted"));
  text.value = "";
  fields.key.value = "";
  showTab(0);
  resize();
  moveHome();
  form.classList.remove("open");
  placeComment(html);
  if (total) total.dataset.count = count;
  showCount();
  status.textContent = `${translate(held ? "held" : "posted")} ${notice}`;
  const comment = document.getElementById(`comment-${id}`);
  document.querySelector(".posted")?.remove();
  if (comment) {
    comment.querySelector(".text").before(parse(note));
    comment.focus({ preventScroll: true });
    highlight(comment);
  }
  await reader; // an older answer does not know it
  showMine([...mine, ...added]);
}

/** Say how many comments there are, but not "none" above one's own. */
function showCount() {
  const count = +total?.dataset.count;
  if (count) total.textContent = translate("count", { count });
  else if (total && thread.querySelector(".held")) total.textContent = translate("waiting");
}

function placeComment(html) {
  const item = parse(html).querySelector("li");
  if (item?.classList.contains("reply")) placeReplies([item]);
  else if (item) placeConversation(item, { first: true }); // right below the form, whatever the order
}

// --- As it was left, or as somebody has begun it.

if (draft) {
  save("localStorage", earlierDraftKey, null); // not one begun since
  if (!load("localStorage", draftKey)) save("localStorage", draftKey, draft);
}
if (text.value) {
  saveDraft();
  openForm();
} else if (draft && Date.now() - draft.at < DAY) {
  const link = draft.parent && document.querySelector(`#${CSS.escape(`comment-${draft.parent}`)} .reply-link`);
  text.value = draft.text;
  if (link) {
    replyTo(link);
    text.blur();
  } else openForm();
} else if (draft) save("localStorage", draftKey, null);
loginModule?.begin(() => (reader = loadReader()));
if (fields.code) import("./prove.js");
const writing = form.contains(document.activeElement);
if (writing || savedKey || load("localStorage", "signed") || authHeaders().Authorization) {
  reader = loadReader();
  if (writing) openForm();
}
