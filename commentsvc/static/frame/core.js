// What the frame's modules share; importing it changes nothing.

if (!window.firstPaint) await import("./first_paint.js"); // a page of an older release
export const { framed, host, hostFacts, isAllowed, sendHeight, sendToHost, updateTimes } = window.firstPaint;
export const thread = document.getElementById("thread");
export const form = document.getElementById("reply");
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
export const earlierDraftKey = `draft ${page.replace(/&(order|lang)=.*/, "")}`;
export const draft = load("localStorage", draftKey) ?? load("localStorage", earlierDraftKey);

/** The window of all logins of this frame; main.js opens it, or login.js. */
export const LOGIN_WINDOW = `commentsvc-${performance.timeOrigin}`;

export const loadLogin = () => (document.getElementById("login") ? import("./login.js") : null);

export function highlight(comment, smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches) {
  comment.classList.remove("highlighted");
  comment.querySelector(".fold")?.setAttribute("open", "");
  sendHeight(); // or the page may be too short; it measures, so the class below is a new one
  if (host.origin) sendToHost("scroll", { top: comment.getBoundingClientRect().top, smooth });
  else comment.scrollIntoView({ block: "center", behavior: smooth ? "smooth" : "auto" });
  comment.classList.add("highlighted");
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  updateTimes(template.content);
  return template.content;
}
