// Makes the server's page more pleasant; what only writers need is in other modules.

import {
  base, draft, form, framed, host, hostFacts, isAllowed, load, loadLogin, LOGIN_WINDOW, sendHeight, sendToHost, thread, updateTimes,
} from "./core.js";

const root = document.documentElement;

setInterval(() => document.hidden || updateTimes(), 60000);

thread.addEventListener("pointerover", async ({ target }) => target.dateTime && (await import("./words.js")).addTitle(target));

const unshown = document.getElementById("unshown");
let fitting;

/** Follow what has changed: the frame's height, and how many comments will not be on paper. */
function fit() {
  sendHeight();
  if (unshown) unshown.textContent = document.getElementById("count").dataset.count - thread.querySelectorAll("#comments .comment:not(.placeholder, .held)").length;
  clearTimeout(fitting);
  // Where the host page keeps the frame lower, it scrolls.
  fitting = setTimeout(() => host.origin && root.classList.toggle("auto-height", innerHeight > root.scrollHeight - 9), 500);
}

function connectToHost() {
  root.className = "framed auto-height";
  sendToHost("ready", { title: thread.dataset.title });
  fit();
}

if (framed) {
  addEventListener("message", ({ data, origin, source }) => {
    if (source !== parent || (host.origin ? origin !== host.origin : !isAllowed(origin))) return;
    if (!host.origin) {
      host.origin = origin;
      connectToHost();
    }
    const type = data?.commentsvc;
    if (type === "look") firstPaint.applyLook(data.look);
    if (type === "go") showComment(`${data.id}`);
    if (type === "quote" && form) import("./quote.js").then(({ quote }) => quote(data));
    if (type === "page") {
      import("./article.js").then(({ receivePage }) => receivePage(data), () => sendToHost("other"));
    }
    if (type === "sso") {
      host.ssoToken = typeof data.token === "string" ? data.token : "";
      if (host.ssoToken) loadComposer();
      dispatchEvent(new Event("ssotoken"));
    }
  });
  if (host.origin) {
    await firstPaint.hasLook;
    connectToHost();
  } else parent.postMessage({ commentsvc: "ready" }, "*"); // a link lost the fragment: ask
}

new ResizeObserver(fit).observe(document.body);
addEventListener("resize", fit);

/** By its number, or by an anchor of the host page. */
const showComment = async (link) => (await import("./permalinks.js")).show(link);

const permalink = +/^#comment-(\d{1,15})$/.exec(location.hash)?.[1] || hostFacts?.comment;
if (permalink) showComment(permalink);

/** Undefined where that fails: the form is sent as a page. */
async function loadComposer() {
  if (form) try {
    return (await Promise.all([import("./composer.js"), loadLogin(), import("./session.js"), import("./conversations.js")]))[0];
  } catch {
    form.classList.add("open");
  }
}

// Before login.js is there, a login would replace the thread.
if (framed) document.getElementById("login")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  open(`${base}login/opening`, LOGIN_WINDOW, "popup,width=520,height=680"); // in the click
  if (await loadComposer()) event.submitter.click();
});

async function replyTo(link) {
  const composer = await loadComposer();
  if (composer) composer.replyTo(link);
  else location.assign(link.href);
}

if (form) {
  form.querySelector("#reply:not(.open) .website")?.toggleAttribute("open", innerWidth > 511);
  // There when the reader opens it; not for those who never do.
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    loadComposer();
  }).observe(form);
  form.addEventListener("focusin", loadComposer, { once: true });
  form.addEventListener("focusin", () => form.classList.add("open"), { once: true }); // the next Tab is not to miss its fields
  const known = ["key", "signed"].some((key) => load("localStorage", key))
    || ["key", "bearer", "connecting"].some((key) => load("sessionStorage", key));
  if (draft || known || form.matches(".open, :focus-within") || form.elements.text.value) loadComposer();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const composer = await loadComposer();
    if (composer) composer.submitComment();
    else form.submit();
  });
}

setTimeout(() => import("./live.js"), 2e4);

// --- Links; with a key held down, and without script, they lead to pages.

const LINKS = [
  ["a[data-more]", async (link) => (await import("./conversations.js")).showMore(link)],
  [".when", async (link) => (await import("./permalinks.js")).copy(link)],
  [".in-reply-to", (link) => showComment(+link.hash.slice(9))],
  [".reply-link", replyTo],
  [".menu a", async (link) => (await import("./forms.js")).openForm(link)],
];

thread.addEventListener("toggle", () => import("./forms.js"), true);
thread.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  for (const [selector, act] of LINKS) {
    const link = event.target.closest(selector);
    if (!link) continue;
    event.preventDefault();
    act(link);
  }
});
