// What the frame's modules share; importing it changes nothing.

export const thread = document.getElementById("thread");
export const form = document.getElementById("reply");
export const framed = parent !== window;
export const page = thread.dataset.page ?? ""; // a note is no thread
export const base = page.split(/\w+\?/)[0]; // "/", or "/comments/"

export function load(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(`commentsvc ${key}`));
  } catch {
    return null;
  }
}

// What was being written here, not what another tab begins.
export const draftKey = `draft ${thread.dataset.thread}`;
export const earlierDraftKey = `draft ${page.replace(/&order=\w+/, "")}`;
export const draft = load("localStorage", draftKey) ?? load("localStorage", earlierDraftKey);

/** The window of all logins of this frame; main.js opens it, or login.js. */
export const LOGIN_WINDOW = `commentsvc-${performance.timeOrigin}`;

export const loadLogin = () => (document.getElementById("login") ? import("./login.js") : null);

// --- The host page. It tells its origin in the address's fragment, which no server sees.

export const hostFacts = (() => {
  try {
    return JSON.parse(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return {};
  }
})();
const origins = thread.dataset.origins.split(" ");
export const isAllowed = (origin) => origins.includes(origin) || origins[0] === "*";
/** `ssoToken`: whom it says the reader to be; "" for nobody, undefined until it has spoken. */
export const host = { origin: framed && isAllowed(hostFacts?.origin) ? hostFacts.origin : null };

export function sendToHost(type, facts) {
  if (host.origin) parent.postMessage({ commentsvc: type, ...facts }, host.origin);
}

/** Tell the host page how high this is; `paper`: without the form, and nothing folded. */
export function sendHeight() {
  const height = Math.ceil(document.body.getBoundingClientRect().height);
  let paper = height - (form?.offsetHeight ?? 0);
  for (const text of document.querySelectorAll(".text")) paper += text.scrollHeight - text.clientHeight;
  sendToHost("height", { height, paper, width: innerWidth });
}

export function highlight(comment, smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches) {
  comment.classList.remove("highlighted");
  comment.querySelector(".fold")?.setAttribute("open", "");
  sendHeight(); // or the page may be too short; it measures, so the class below is a new one
  if (host.origin) sendToHost("scroll", { top: comment.getBoundingClientRect().top, smooth });
  else comment.scrollIntoView({ block: "center", behavior: smooth ? "smooth" : "auto" });
  comment.classList.add("highlighted");
}

const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** Write times as people say them. The browser's own words (Intl) take 15 ms to load. */
export function updateTimes(within = document) {
  for (const element of within.querySelectorAll("time")) {
    const seconds = (Date.now() - new Date(element.dateTime)) / 1000;
    const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
    const many = Math.trunc(seconds / size);
    element.textContent = unit ? `${many} ${unit}${many > 1 ? "s" : ""} ago` : "just now";
  }
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  updateTimes(template.content);
  return template.content;
}
