// In the frame of <latest-comments>: tells the page around it its height, and takes its look from it.

const root = document.documentElement;
const origins = document.body.dataset.origins.split(" ");
// Values that can load nothing, as in frame/first_paint.js.
const UNSAFE = /[;{}\\]|(?<!rgba?|hsla?|hwb|lab|lch|color|mix|dark|calc)\(/i;
let host;

function applyLook(look) {
  if (!look || typeof look !== "object") return;
  if (["light", "dark"].includes(look.theme)) root.dataset.theme = look.theme;
  for (const name of ["text", "accent", "font"]) {
    const value = look[name];
    if (typeof value === "string" && value.length < 400 && !UNSAFE.test(value)) root.style.setProperty(`--${name}`, value);
  }
}

function sendHeight() {
  if (host) parent.postMessage({ commentsvc: "height", height: Math.ceil(document.body.getBoundingClientRect().height), title: document.title }, host);
}

addEventListener("message", ({ data, origin, source }) => {
  if (source !== parent || !origins.includes(origin) || data?.commentsvc !== "look") return;
  host = origin;
  applyLook(data.look);
  sendHeight();
});
new ResizeObserver(sendHeight).observe(document.body);
if (parent !== window) parent.postMessage({ commentsvc: "ready" }, "*"); // it says nothing; the page answers with its look
