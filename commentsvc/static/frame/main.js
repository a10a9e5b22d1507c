// The thread's page comes complete from the server; this only makes it more pleasant. It speaks with the page
// around the frame (height, look, permalinks), shows times as people say them, and loads more without a reload.
// Most only read: composer.js and login.js are fetched for those who write.

const root = document.documentElement;
const thread = document.getElementById("thread");
export const framed = parent !== window;

// --- What this browser keeps. One that refuses to loses the convenience, nothing else.

export function kept(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(`commentsvc ${key}`));
  } catch {
    return null;
  }
}

export function keep(storage, key, value) {
  try {
    if (value === null) window[storage].removeItem(`commentsvc ${key}`);
    else window[storage].setItem(`commentsvc ${key}`, JSON.stringify(value));
  } catch {
    // Private windows, blocked storage: all works the same.
  }
}

/**
 * Who reads here: the token we hold where no cookie of ours is kept, and one that the page around us vouches by
 * ("" for nobody, undefined until it has spoken).
 */
export const reader = { bearer: kept("sessionStorage", "bearer"), vouched: undefined };

/** Headers of a request that is to be this reader's own. */
export const proof = () => (reader.bearer ? { Authorization: `Bearer ${reader.bearer}` } : {});

// --- Times; before anything measures, or it is laid out twice. The browser's own words (Intl) take 15 ms to load.

const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

export function tellTimes(within = document) {
  for (const element of within.querySelectorAll("time")) {
    const seconds = (Date.now() - new Date(element.dateTime)) / 1000;
    const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
    const many = Math.trunc(seconds / size);
    element.textContent = unit ? `${many} ${unit}${many > 1 ? "s" : ""} ago` : "just now";
  }
}

tellTimes();
setInterval(() => document.hidden || tellTimes(), 60000);

thread.addEventListener("pointerover", ({ target }) => {
  const language = navigator.languages.find((one) => one.startsWith(root.lang)) ?? root.lang; // as this reader writes it
  if (target.dateTime) target.title = new Date(target.dateTime).toLocaleString(language, { dateStyle: "long", timeStyle: "short" });
});

// --- The page around us. It tells its origin in the address's fragment, which no server sees.

const told = (() => {
  try {
    return JSON.parse(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return {};
  }
})();
const allowed = thread.dataset.origins.split(" ");
const welcome = (origin) => allowed.includes(origin) || allowed[0] === "*";
let host = framed && welcome(told?.origin) ? told.origin : null;

export const page = thread.dataset.page ?? ""; // a note is no thread
export const title = typeof told?.title === "string" ? told.title.slice(0, 300) : "";

export function tell(type, facts) {
  if (host) parent.postMessage({ commentsvc: type, ...facts }, host);
}

function measure() {
  tell("height", { height: Math.ceil(document.body.getBoundingClientRect().height) });
}

/** Ask the page around us to bring an element into view; alone, do it ourselves. */
export function reveal(element, { smooth = true } = {}) {
  if (!host) return element.scrollIntoView({ block: "center", behavior: smooth ? "smooth" : "auto" });
  measure(); // or the page may be too short yet to scroll that far
  tell("scroll", { top: element.getBoundingClientRect().top, smooth });
}

function wear(look) {
  if (!look || typeof look !== "object") return;
  if (["light", "dark"].includes(look.theme)) root.dataset.theme = look.theme;
  for (const name of ["text", "accent", "font", "radius"]) {
    const value = look[name];
    // Values, not code: nothing that could load or refer to anything.
    if (typeof value === "string" && value.length < 400 && !/[;{}\\]|(?<!rgba?|hsla?|hwb|lab|lch|color|mix|dark|calc)\(/i.test(value)) root.style.setProperty(`--${name}`, value);
  }
}

function join() {
  root.classList.add("fitted");
  new ResizeObserver(measure).observe(document.body);
  tell("ready");
  measure();
}

if (framed) {
  addEventListener("message", ({ data, origin, source }) => {
    if (source !== parent || (host ? origin !== host : !welcome(origin))) return;
    if (!host) {
      host = origin;
      join();
    }
    if (data?.commentsvc === "look") wear(data.look);
    if (data?.commentsvc === "go") go(data.id);
    if (data?.commentsvc === "page") import("./article.js").then(({ hear }) => hear(data), () => tell("other"));
    if (data?.commentsvc === "sso") {
      reader.vouched = typeof data.token === "string" ? data.token : "";
      if (reader.vouched) compose();
      dispatchEvent(new Event("vouched"));
    }
  });
  if (host) {
    wear(told.look);
    join();
  } else parent.postMessage({ commentsvc: "ready" }, "*"); // a link in here lost the fragment: the page around answers
}

// --- Pieces of a thread, as the server renders them.

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  tellTimes(template.content);
  return template.content;
}

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
  // Only those out of place: to be moved takes the focus away.
  order.forEach((item, at) => list.children[at] === item || list.insertBefore(item, list.children[at]));
}

/** Put a conversation into the list; of one that is there already, only the replies it lacks. */
export function placeRoot(item, { first = false } = {}) {
  const list = document.getElementById("comments");
  if (list.querySelector(`:scope > [data-root="${+item.dataset.root}"]`)) placeReplies([...item.querySelectorAll(".reply")]);
  else if (first) list.prepend(item);
  else list.append(item);
}

async function piece(href) {
  const answer = await fetch(`${href}${href.includes("?") ? "&" : "?"}fragment=1`);
  if (!answer.ok) throw new Error(answer.statusText);
  return parse(await answer.text());
}

async function more(link) {
  if (link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  const words = (link.dataset.words ??= link.textContent);
  link.textContent = "Loading…";
  try {
    const found = await piece(link.getAttribute("href"));
    const items = [...found.children].filter((child) => child.matches("li"));
    const next = [...found.children].find((child) => child.matches(".more"));
    if (link.dataset.more === "roots") items.forEach((item) => placeRoot(item));
    else placeReplies(items);
    const hadFocus = document.activeElement === link;
    link.closest(".more").replaceWith(...(next ? [next] : []));
    if (hadFocus) items[0]?.querySelector(".comment").focus({ preventScroll: true });
  } catch {
    link.ariaBusy = null;
    link.textContent = `${words} (that did not work; try again)`;
  }
}

// --- Permalinks: a comment named by the host page's #comment-42, on this page of the thread or not.

async function go(id) {
  if (!Number.isSafeInteger(id) || id < 1) return;
  let comment = document.getElementById(`comment-${id}`);
  if (!comment && document.getElementById("comments")) {
    const found = await piece(`${page}&comment=${id}`).catch(() => null);
    const item = found?.getElementById(`comment-${id}`)?.closest(".conversation");
    if (!item) return;
    placeRoot(item, { first: true });
    comment = document.getElementById(`comment-${id}`);
  }
  if (comment) highlight(comment, { smooth: false });
}

export function highlight(comment, options) {
  comment.classList.remove("arrived");
  reveal(comment, options); // measures, so that the class below is a new one, even out of sight
  comment.classList.add("arrived");
}

const named = /^#comment-(\d{1,15})$/.exec(location.hash)?.[1] ?? told?.comment;
if (named) go(+named);

// --- Writing.

const form = document.getElementById("reply");

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What was being written here, in whatever order the thread is read; not what another tab begins from now on. */
export const draftKey = `draft ${page.replace(/&order=\w+/, "")}`;
export const draft = kept("localStorage", draftKey);

/** The module that logs in. */
export const bringLogin = () => (document.getElementById("login") ? import("./login.js") : null);

/** Bring the form to life, once; null where that fails, and the form is sent as a page. */
async function compose() {
  if (!form) return null;
  try {
    const [composer] = await Promise.all([import("./composer.js"), bringLogin()]);
    return composer;
  } catch {
    form.classList.add("open");
    return null;
  }
}

// Pressed before login.js is there, a login would take the place of the thread in here, which no provider lets it do.
if (framed) document.getElementById("login")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  open("/login/opening", `commentsvc-${performance.timeOrigin}`, "popup,width=520,height=680"); // in the click
  if (await compose()) event.submitter.click();
}, { once: true });

async function reply(link) {
  const composer = await compose();
  if (composer) composer.answer(link);
  else location.assign(link.href);
}

if (form) {
  for (const sign of ["pointerenter", "focusin"]) form.addEventListener(sign, compose, { once: true });
  form.addEventListener("focusin", () => form.classList.add("open"), { once: true }); // the next Tab is not to miss its fields
  const known = ["key", "signed"].some((key) => kept("localStorage", key)) || ["key", "bearer", "connecting"].some((key) => kept("sessionStorage", key));
  if (draft || known || form.matches(".open, :focus-within") || form.elements.text.value) compose();
}

// --- What links do here; with a key held down, and without script, they are links.

const DOES = {
  "a[data-more]": more,
  ".answers": (link) => go(+link.hash.slice(9)),
  ".reply-link": reply,
  ".report-link": async (link) => (await import("./report.js")).report(link),
};

thread.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  for (const [selector, act] of Object.entries(DOES)) {
    const link = event.target.closest(selector);
    if (!link) continue;
    event.preventDefault();
    act(link);
  }
});
