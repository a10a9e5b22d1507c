// The comment form with script: opens when entered, keeps what is typed, answers in place, posts without a reload.

import { bringLogin, draft, draftKey, framed, hex, highlight, keep, kept, page, parse, placeReplies, placeRoot, proof, tell, title } from "./main.js";

const DAY = 86400000;
const form = document.getElementById("reply");
const fields = form.elements;
const text = fields.text;
const submit = form.querySelector('[type="submit"]');
const cancel = form.querySelector(".cancel");
const heading = document.getElementById("reply-heading");
const status = document.getElementById("status");
const preview = document.getElementById("preview");
const previewButton = form.querySelector("[data-preview]");
const remember = document.getElementById("remember");
const DETAILS = ["name", "email", "website"];
const login = await bringLogin();
const home = document.createComment("form");
form.before(home);

const random = () => hex(crypto.getRandomValues(new Uint8Array(24)));

// A key of this browser's own, by which the service knows its comments again: for this tab, or for as long as
// the details are remembered.
const hadKey = kept("localStorage", "key") ?? kept("sessionStorage", "key");
const authorKey = hadKey ?? random();
fields.author_key.value = authorKey;
fields.title.value ||= title;

// --- The form's states.

let fresh = null;

function open() {
  form.classList.add("open");
  grow();
  fresh ??= own();
  begin();
}

// Work that the service asks for while very many comments are coming: begun when somebody writes, done unseen.
let work = null;
const toil = async (key) => (await import("./work.js")).solve(work, key);

function begin() {
  if (!work || !form.classList.contains("open")) return;
  fields.key.value ||= random();
  toil(fields.key.value).catch(() => {});
}

let askedAt = 0;
let question = 0;

/**
 * Ask for what is this reader's alone: who they are, a form token that is not as old as the page, their held
 * comments. Says whether somebody is logged in.
 */
async function own() {
  const mine = ++question;
  askedAt = Date.now();
  try {
    const headers = { ...proof(), ...(hadKey && { "X-Author-Key": authorKey }) };
    const answer = await fetch(page.replace("?", "/own?"), { headers });
    if (!answer.ok) return false;
    const found = await answer.json();
    if (mine === question) {
      become(found);
      work = found.work;
      begin();
      for (const { html, id } of found.held) if (!document.getElementById(`comment-${id}`)) place(html);
    }
    return Boolean(found.member);
  } catch {
    return false; // The page's own token serves as well.
  }
}

let mark;
// On a page of its own: its link "Change" led here, or a guest's form came back with a fault.
const staysGuest = !framed && fields.identity.value === "guest" && (location.pathname !== "/thread" || new URLSearchParams(location.search).has("as"));

/** Show the form as the person's who is logged in now, and say so where that was another. */
function become({ csrf, member, token }) {
  fields.token.value = token;
  const changed = mark !== undefined && mark !== (member?.mark ?? null);
  mark = member?.mark ?? null;
  if (!staysGuest) login?.wear(member, csrf);
  if (changed && !member) status.textContent = "You are no longer logged in.";
  else if (changed && fields.identity.value === "member") status.textContent = `You are now logged in as ${member.name}.`;
  keep("localStorage", "signed", member && true);
}

// Another tab may log in or out meanwhile: when this one comes to the front it asks who is there, at most once a
// second; not where nobody has written or logged in yet.
let looking;

function look() {
  if (!fresh || document.hidden) return;
  clearTimeout(looking);
  looking = setTimeout(() => (fresh = own()), Math.max(0, askedAt + 1000 - Date.now()));
}

addEventListener("focus", look);
addEventListener("pageshow", look);
document.addEventListener("visibilitychange", look);

function grow() {
  if (CSS.supports("field-sizing: content")) return;
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

export function answer(link) {
  const comment = link.closest(".comment");
  fields.parent.value = link.dataset.id;
  const name = document.createElement("bdi");
  name.textContent = link.dataset.name;
  heading.replaceChildren(`${heading.dataset.heading} to `, name);
  cancel.hidden = false;
  comment.after(form);
  open();
  text.focus({ preventScroll: true });
  keepDraft();
}

function goHome() {
  fields.parent.value = "";
  heading.textContent = heading.dataset.heading;
  cancel.hidden = true;
  home.after(form);
}

cancel.addEventListener("click", (event) => {
  event.preventDefault();
  const answered = document.getElementById(`comment-${fields.parent.value}`);
  goHome();
  keepDraft();
  (answered?.querySelector(".reply-link") ?? text).focus({ preventScroll: true });
});

form.addEventListener("focusin", open);
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
  if (event.key === "Escape" && !cancel.hidden) cancel.click();
});

// --- What is typed is kept: the draft for a day, the details when the box is ticked.

function keepDraft() {
  const worth = text.value.trim() || null;
  keep("localStorage", draftKey, worth && { text: text.value, parent: fields.parent.value, at: Date.now() });
}

function details() {
  return Object.fromEntries(DETAILS.filter((name) => fields[name]).map((name) => [name, fields[name].value]));
}

let sent = false;
form.addEventListener("input", (event) => {
  if (sent) fields.key.value = ""; // another text is another comment
  sent = false;
  if (event.target === text) {
    grow();
    keepDraft();
  }
  if (event.target.name) fault(event.target.name, "");
});

remember?.addEventListener("change", () => {
  if (!remember.checked) {
    keep("localStorage", "details", null);
    keep("localStorage", "key", null);
  }
});

const known = kept("localStorage", "details");
if (known && remember) {
  remember.checked = true;
  for (const name of DETAILS) if (fields[name]) fields[name].value ||= known[name] ?? "";
}

// --- Faults, beside the field they are about.

function fault(name, words) {
  const place = form.querySelector(`[data-fault="${CSS.escape(name)}"]`);
  if (!place) return;
  place.textContent = words;
  place.hidden = !words;
  if (fields[name] instanceof HTMLElement) {
    if (words) fields[name].setAttribute("aria-invalid", "true");
    else fields[name].removeAttribute("aria-invalid");
  }
}

function show(faults) {
  for (const name of ["form", "text", ...DETAILS]) fault(name, faults[name] ?? "");
  const first = ["text", "email", "name", "website"].find((name) => faults[name] && fields[name]);
  if (first) {
    if (first === "text") showPreview(false);
    fields[first].focus();
  }
}

const EMPTY = { text: "Please enter a comment", email: "Please enter your email address here", name: "Please enter your name here", website: "Please enter your website here" };

function missing() {
  const asked = fields.identity.value === "member" ? [["text", EMPTY.text]] : Object.entries(EMPTY);
  const empty = asked.filter(([name]) => fields[name]?.required && !fields[name].value.trim());
  return Object.fromEntries(empty);
}

// --- Preview.

function showPreview(on) {
  previewButton.ariaPressed = String(on);
  preview.hidden = !on;
  text.hidden = on;
}

previewButton.addEventListener("click", async () => {
  if (!preview.hidden) {
    showPreview(false);
    text.focus();
    return;
  }
  const reply = await send("/embed/preview", new URLSearchParams({ text: text.value }));
  if (!reply.ok) return show({ text: reply.body.message });
  preview.replaceChildren(parse(reply.body.html));
  showPreview(true);
});

// --- Sending.

async function send(path, body) {
  try {
    const headers = { Accept: "application/json", ...proof() };
    const answer = await fetch(path, { method: "POST", body, headers });
    const type = answer.headers.get("Content-Type") ?? "";
    const said = type.includes("json") ? await answer.json() : {};
    return { ok: answer.ok, body: { message: "The service did not answer as it should. Your text is kept; please try again.", ...said } };
  } catch {
    return { ok: false, body: { message: "The service cannot be reached. Your text is kept; please try again." } };
  }
}

/** Send the form as whom it shows now, whatever it is told meanwhile; `more` stands in the place of fields of the same name. */
async function post(more) {
  fields.key.value ||= random();
  sent = true;
  const body = new URLSearchParams(new FormData(form));
  for (const name in more) body.set(name, more[name]);
  for (let again = 0; ; again++) {
    if (work) body.set("work", await toil(body.get("key")).catch(() => "none"));
    const reply = await send(form.getAttribute("action"), body);
    if (again > 1 || !(reply.body.token || reply.body.work)) return reply;
    if (reply.body.token) body.set("token", reply.body.token);
    work = reply.body.work ?? work;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submitTo();
});

/** Post the comment: under the article that the page shows, or under the one that was `chosen` of two. */
async function submitTo(chosen, elsewhere = false) {
  if (submit.disabled) return;
  const empty = missing();
  show(empty);
  if (Object.keys(empty).length) return;
  const words = submit.textContent;
  submit.disabled = true;
  submit.textContent = submit.dataset.sending;
  const article = await import("./article.js").then(({ present }) => present()).catch(() => ({}));
  const reply = await post(chosen ? { page_title: elsewhere ? article.page_title : "", ...chosen } : article);
  submit.disabled = false;
  submit.textContent = words;
  if (reply.ok) return arrived(reply.body, elsewhere);
  if (reply.body.choice) return (await import("./article.js")).ask(form, reply.body.choice, submitTo);
  if (reply.body.own) become(reply.body.own);
  show(reply.body.errors ?? { form: reply.body.message });
}

function arrived({ count, held, html, id }, elsewhere) {
  keep("localStorage", draftKey, null);
  keep("sessionStorage", "key", authorKey);
  if (remember?.checked) {
    keep("localStorage", "details", details());
    keep("localStorage", "key", authorKey);
  }
  if (elsewhere) return tell("other", { comment: id });
  text.value = "";
  fields.key.value = "";
  showPreview(false);
  grow();
  goHome();
  form.classList.remove("open");
  place(html);
  const heads = document.getElementById("count");
  if (heads) heads.textContent = count === 1 ? "1 Comment" : count ? `${count.toLocaleString("en")} Comments` : "No comments yet";
  status.textContent = held ? "Your comment is awaiting moderation." : "Your comment is posted.";
  const comment = document.getElementById(`comment-${id}`);
  if (comment) {
    comment.focus({ preventScroll: true });
    highlight(comment);
  }
}

function place(html) {
  const item = parse(html).querySelector("li");
  if (item?.classList.contains("reply")) placeReplies([item]);
  else if (item) placeRoot(item, { first: true }); // right below the form, whatever the order: here it is
}

// --- As it was left, or as somebody quick has begun it.

if (text.value) {
  keepDraft();
  open();
} else if (draft && Date.now() - draft.at < DAY) {
  const link = draft.parent && document.querySelector(`.reply-link[data-id="${CSS.escape(draft.parent)}"]`);
  text.value = draft.text;
  if (link) {
    answer(link);
    text.blur();
  } else open();
} else if (draft) keep("localStorage", draftKey, null);
login?.begin(own);
if (form.contains(document.activeElement) || hadKey || kept("localStorage", "signed") || proof().Authorization) {
  fresh = own();
  if (form.contains(document.activeElement)) open();
}
