// The thread's page comes complete from the server; this only makes it more pleasant. It speaks with the page
// around the frame (height, look, permalinks), shows times as people say them, and loads more without a reload.
// Writing is in composer.js, fetched once the reader can see the thread.

const root = document.documentElement;
const thread = document.getElementById("thread");
export const framed = parent !== window;

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

export const page = thread.dataset.page;
export const title = typeof told?.title === "string" ? told.title.slice(0, 300) : "";

/** What the page around us says of its reader: a signed token, "" for nobody, undefined until it has spoken. */
export const vouched = { token: undefined };

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

const PROPERTIES = { text: "--text", accent: "--accent", font: "--font", radius: "--radius" };

function wear(look) {
  if (!look || typeof look !== "object") return;
  if (["light", "dark"].includes(look.theme)) root.dataset.theme = look.theme;
  for (const [name, property] of Object.entries(PROPERTIES)) {
    const value = look[name];
    // Values, not code: nothing that could load or refer to anything.
    if (typeof value === "string" && value.length < 400 && !/[;{}\\]|(?<!rgba?|hsla?|hwb|lab|lch|color|mix|dark|calc)\(/i.test(value)) root.style.setProperty(property, value);
  }
  const worn = root.style.getPropertyValue("--accent");
  root.style.setProperty("--on-accent", worn && (isLight(worn) ? "#0c1220" : "#fff"));
}

function isLight(colour) {
  const brush = new OffscreenCanvas(1, 1).getContext("2d");
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 1, 1);
  const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
  return 0.299 * red + 0.587 * green + 0.114 * blue > 150;
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
    if (data?.commentsvc === "sso") {
      vouched.token = typeof data.token === "string" ? data.token : "";
      dispatchEvent(new Event("vouched"));
    }
  });
  if (host) {
    wear(told.look);
    join();
  } else parent.postMessage({ commentsvc: "ready" }, "*"); // a link in here lost the fragment: the page around answers
}

// --- Times.

const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const language = navigator.languages.find((one) => one.startsWith(root.lang)) ?? root.lang; // "en" as this reader writes it
const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });

export function tellTimes(within = document) {
  for (const element of within.querySelectorAll("time")) {
    const at = new Date(element.dateTime);
    const seconds = (at - Date.now()) / 1000;
    const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
    element.title = exact.format(at);
    element.textContent = unit ? ago.format(Math.trunc(seconds / size), unit) : "just now";
  }
}

tellTimes();
setInterval(() => document.hidden || tellTimes(), 60000);

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
  // Moving an element takes the focus from it and restarts what moves in it: only those out of place are.
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

thread.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-more]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
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
});

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
  reveal(comment, options); // measures, so that the class below counts as a new one; a frame out of sight is never painted
  comment.classList.add("arrived");
}

thread.addEventListener("click", (event) => {
  const link = event.target.closest?.('a.answers[href^="#comment-"]');
  if (!link) return;
  event.preventDefault();
  go(+link.hash.slice(9));
});

const named = /^#comment-(\d{1,15})$/.exec(location.hash)?.[1] ?? told?.comment;
if (named) go(+named);

// --- Reporting.

thread.addEventListener("click", async (event) => {
  const link = event.target.closest?.(".report-link");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const login = document.getElementById("login") && framed ? import("./login.js") : null;
  (await import("./report.js")).report(link, (await login)?.proof());
});

// --- Writing.

const form = document.getElementById("reply");
if (form) {
  const load = () => import("./composer.js");
  form.addEventListener("focusin", load, { once: true });
  (window.requestIdleCallback ?? setTimeout)(load);
}
