// The panel of ?commentsvc-doctor: says on a page why it shows no comments, and what its owner can do about it.
// embed.js loads it; whatever it finds out, a reader of the page could find out too.

const service = new URL("../..", import.meta.url).href.replace(/\/$/, "");
const serviceOrigin = new URL(service).origin;
const PATIENCE = 8000;
const OK = "✓", FAULT = "!", UNKNOWN = "?";

/** What the page's Content Security Policy refused since the panel was loaded, as "frame-src https://…". */
const refusals = new Set();
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  if (blockedURI.startsWith(serviceOrigin)) refusals.add(effectiveDirective.replace("-elem", ""));
});

const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const finding = (mark, title, text = "", more = {}) => ({ mark, title, text, ...more });

/** Threads of the page, each with its frame, if it has one. */
function* threadsOf(root = document) {
  for (const element of root.querySelectorAll("comment-thread, div#comments")) {
    const inner = element.shadowRoot?.querySelector("comment-thread");
    const frame = (inner ?? element).shadowRoot?.querySelector("iframe");
    if (element.localName !== "comment-thread" || element.getRootNode() === document) yield { element, frame };
  }
}

/** Load a page of the service in a hidden frame; resolve with its first message of a kind, or null. */
async function probe(url, kind) {
  const frame = make("iframe", { src: url, title: "Comments", tabIndex: -1, ariaHidden: "true" });
  frame.style.cssText = "position: absolute; width: 600px; height: 10px; left: -9999px; top: 0; border: 0; visibility: hidden";
  const began = performance.now();
  const answer = new Promise((resolve) => {
    addEventListener("message", function hear({ data, origin, source }) {
      if (origin !== serviceOrigin || source !== frame.contentWindow || data?.commentsvc !== kind) return;
      removeEventListener("message", hear);
      resolve({ ...data, took: Math.round(performance.now() - began) });
    });
  });
  document.body.append(frame);
  const result = await Promise.race([answer, later(PATIENCE).then(() => null)]);
  frame.remove();
  return result;
}

async function askService(page) {
  const began = performance.now();
  const query = new URLSearchParams(Object.entries(page).filter(([, value]) => value));
  try {
    const answer = await fetch(`${service}/embed/doctor?${query}`, { credentials: "omit" });
    return { facts: await answer.json(), took: Math.round(performance.now() - began) };
  } catch {
    return null;
  }
}

/** The headers of this very page, which only its own scripts can read. */
async function headersOfPage() {
  try {
    return (await fetch(location.href)).headers;
  } catch {
    return null;
  }
}

function checkScripts() {
  const scripts = [...document.scripts].filter(({ src, dataset }) => dataset.service || /\/embed\.js(\?|$)/.test(src));
  if (scripts.length < 2) return finding(OK, "The script is there", scripts[0]?.src ?? service);
  return finding(FAULT, "The script is there more than once", "Only the first one works. Remove the others.", {
    code: scripts.map(({ src }) => src).join("\n"),
  });
}

function checkElements(threads) {
  if (!threads.length) {
    return finding(FAULT, "There is no place for comments", "Add this line where they should appear:", { code: '<div id="comments"></div>' });
  }
  if (document.querySelectorAll("#comments").length > 1) {
    return finding(FAULT, "Several elements have the id comments", "An id stands for one element of a page. Use <comment-thread> for the others.");
  }
  return finding(OK, threads.length > 1 ? `There are ${threads.length} threads` : "There is a place for comments");
}

function checkOrigin(answer) {
  if (!answer) return finding(UNKNOWN, "Is this address registered?", "The service could not be asked; see below.");
  const { origin, registered, preview, reading, near, pattern, add } = answer.facts;
  if (registered && !preview) return finding(OK, "This address is registered", origin);
  if (registered) return finding(OK, "This is a registered preview", reading ? "It shows comments; nobody can write here." : "Readers can comment here.");
  if (!origin) return finding(FAULT, "This page has no address on the web", "Comments need a page at an address that begins with http:// or https://.");
  const differs = near[0] ? `Registered is ${near[0]}: ${difference(new URL(near[0]), new URL(origin))}.` : "";
  const ways = [
    differs,
    "Its owner can add it.",
    pattern && near[0] && isBelow(origin, near[0]) ? `If this is a preview, enter ${pattern} under Previews instead.` : "",
  ];
  return finding(FAULT, "This address is not registered", ways.filter(Boolean).join(" "), {
    code: origin,
    link: { href: add, text: "Add it in the admin view" },
  });
}

/** Whether an origin's host has one more part than another's, such as a preview beside its website. */
function isBelow(origin, known) {
  const bare = ({ hostname }) => hostname.replace(/^www\./, "");
  const here = new URL(origin);
  return !here.hostname.startsWith("www.") && here.hostname.endsWith(`.${bare(new URL(known))}`);
}

function difference(known, here) {
  const parts = [];
  if (known.protocol !== here.protocol) parts.push(`this page uses ${here.protocol.slice(0, -1)}`);
  if (known.port !== here.port) parts.push(here.port ? `this page has the port ${here.port}` : `this page has no port ${known.port}`);
  if (known.hostname !== here.hostname) {
    if (here.hostname === `www.${known.hostname}`) parts.push("this page has www");
    else if (known.hostname === `www.${here.hostname}`) parts.push("this page has no www");
    else parts.push("this page is at another host");
  }
  return parts.join(", and ");
}

function checkCanonical(page, answer) {
  const links = [...document.querySelectorAll('link[rel="canonical"]')];
  const [link] = links;
  const written = link?.getAttribute("href") ?? "";
  if (links.length > 1) return finding(FAULT, "There are several canonical links", "Only the first one counts.", { code: links.map(({ href }) => href).join("\n") });
  const article = answer?.facts.article ? `The thread is that of ${answer.facts.article}` : "";
  if (!link) return finding(OK, "There is no canonical link", article || "The page's address counts.");
  const { href } = link;
  const code = written;
  if (!/^https?:\/\//.test(written)) return finding(FAULT, "The canonical link is not a full address", "Write it with https:// and the host.", { code });
  if (new URL(href).origin !== location.origin && !answer?.facts.preview) {
    return finding(UNKNOWN, "The canonical link leads to another address", `It counts only if that is one of the site's own origins. ${article}`, { code });
  }
  if (new URL(href).pathname === "/" && location.pathname !== "/") {
    return finding(FAULT, "The canonical link leads to the front page", "All pages that say so share one thread.", { code });
  }
  return finding(OK, "The canonical link", article, { code });
}

function checkPolicy() {
  const needed = ["frame-src", "connect-src", "script-src"].filter((name) => refusals.has(name));
  if (!needed.length) return finding(OK, "The page's Content Security Policy allows us");
  return finding(FAULT, "The page's Content Security Policy refuses us", "Add the service to these lines of it:", {
    code: needed.map((name) => `${name} ${serviceOrigin};`).join("\n"),
  });
}

function checkFrame(ready, answer, threads) {
  if (refusals.has("frame-src")) return finding(FAULT, "The frame is refused by the page", "See the Content Security Policy above.");
  if (!ready && !answer) {
    return finding(FAULT, "Nothing of the service arrives", `An ad blocker, a firewall or an outage keeps ${serviceOrigin} away. Try a private window without extensions, and open the service itself.`, { link: { href: service, text: "Open the service" } });
  }
  if (!ready && location.protocol === "https:" && service.startsWith("http:")) {
    return finding(FAULT, "The service has no https", "Browsers load nothing over http into a page with https.");
  }
  if (!ready) return finding(FAULT, "The frame does not answer", "An extension of the browser may have removed it, or the service refuses this page as a place for its frames.");
  const hidden = threads.find(({ element, frame }) => !isVisible(element) || (frame && !isVisible(frame)));
  if (hidden) return finding(FAULT, "A style hides the comments", "A rule of the page or of an ad blocker hides this element or one around it.", { code: hidden.element.outerHTML.split(">")[0] + ">" });
  return finding(OK, "The frame answers", `It took ${ready.took} ms. At a width of 600 px it is ${ready.height} px high.`);
}

function isVisible(element) {
  const { visibility, opacity } = getComputedStyle(element);
  const { width, height } = element.getBoundingClientRect();
  return visibility === "visible" && opacity > 0 && width > 1 && height > 1;
}

function checkStorage(stored) {
  if (!stored) return finding(UNKNOWN, "Can a frame store something?", "The test frame did not answer.");
  if (!stored.cookies) {
    return finding(UNKNOWN, "The browser refuses our cookies here", stored.session
      ? "Logins work all the same, until the tab is closed."
      : "Readers can comment as guests; a login lasts until the page is left.");
  }
  return finding(OK, stored.shared ? "The browser stores our cookies" : "The browser keeps our cookies for this website apart", stored.shared ? "" : "So readers log in once for each website.");
}

function checkIsolation(headers) {
  const opener = headers?.get("cross-origin-opener-policy") ?? "";
  const embedder = headers?.get("cross-origin-embedder-policy") ?? "";
  if (!headers) return finding(UNKNOWN, "The page's own headers could not be read");
  const named = [opener && `Cross-Origin-Opener-Policy: ${opener}`, embedder && `Cross-Origin-Embedder-Policy: ${embedder}`].filter(Boolean);
  if (!named.length) return finding(OK, "The page does not isolate itself");
  return finding(OK, "The page isolates itself", "The service is made for it: frames and logins work.", { code: named.join("\n") });
}

function checkDelay(answer) {
  if (!answer) return finding(UNKNOWN, "How long does the service take?", "It could not be asked.");
  return answer.took < 1500
    ? finding(OK, "The service answers", `It took ${answer.took} ms.`)
    : finding(UNKNOWN, "The service answers slowly", `It took ${answer.took} ms, connecting included.`);
}

async function examine() {
  const threads = [...threadsOf()];
  const page = { url: location.href.split("#")[0], canonical: document.querySelector('link[rel="canonical"]')?.href ?? "" };
  const facts = encodeURIComponent(JSON.stringify({ origin: location.origin, title: document.title }));
  const query = new URLSearchParams(Object.entries(page).filter(([, value]) => value));
  const heard = probe(`${service}/embed?${query}#${facts}`, "height");
  const [answer, ready, stored, headers] = await Promise.all([
    askService(page), heard, probe(`${service}/embed/doctor/frame`, "doctor"), headersOfPage(),
  ]);
  return [
    checkScripts(), checkElements(threads), checkOrigin(answer), checkCanonical(page, answer), checkPolicy(),
    checkFrame(ready, answer, threads), checkStorage(stored), checkIsolation(headers), checkDelay(answer),
  ];
}

const STYLE = `
:host { all: initial; color-scheme: light dark }
section {
  position: fixed; z-index: 2147483647; inset: auto 12px 12px auto; box-sizing: border-box;
  width: min(30rem, 100vw - 24px); max-height: min(80vh, 44rem); overflow: auto; padding: 0 18px 14px;
  border: 1px solid light-dark(#c8ccd2, #4a4f57); border-radius: 10px; box-shadow: 0 8px 30px #0005;
  background: light-dark(#fff, #1d2024); color: light-dark(#1d2024, #e8eaed); font: 14px/1.5 system-ui, sans-serif;
}
header { position: sticky; top: 0; display: flex; gap: 8px; align-items: center; padding: 12px 0 8px; background: inherit }
h2 { flex: 1; margin: 0; font-size: 16px }
ol { margin: 0; padding: 0; list-style: none }
li { display: grid; grid-template-columns: 26px 1fr; padding: 9px 0; border-top: 1px solid light-dark(#e3e6ea, #363a40) }
b { display: block; font-weight: 600 }
p { margin: 0 0 8px }
li p { margin: 2px 0 0; color: light-dark(#4a5058, #b4bac2); overflow-wrap: anywhere }
.mark { font-weight: 700; text-align: center; width: 20px; height: 20px; line-height: 20px; border-radius: 50% }
.ok { color: light-dark(#146c2e, #7fd699) }
.fault { background: light-dark(#b3261e, #f2b8b5); color: light-dark(#fff, #4a0f0c) }
.unknown { color: light-dark(#4a5058, #b4bac2); border: 1px solid; box-sizing: border-box; line-height: 18px }
pre {
  margin: 6px 0 0; padding: 6px 8px; border-radius: 6px; background: light-dark(#f1f3f5, #2a2e33);
  font: 12.5px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
}
a { display: inline-block; margin-top: 6px; color: light-dark(#0b57d0, #a8c7fa) }
button { padding: 4px 10px; border: 1px solid light-dark(#c8ccd2, #4a4f57); border-radius: 6px; background: none; color: inherit; font: inherit; cursor: pointer }
:is(button, a):focus-visible { outline: 2px solid light-dark(#0b57d0, #a8c7fa); outline-offset: 2px }`;

const CLASSES = { [OK]: "ok", [FAULT]: "fault", [UNKNOWN]: "unknown" };
const WORDS = { [OK]: "Right", [FAULT]: "Wrong", [UNKNOWN]: "Unclear" };

function itemOf({ mark, title, text, code, link }) {
  const item = make("li");
  const sign = make("span", { className: `mark ${CLASSES[mark]}`, textContent: mark });
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", WORDS[mark]);
  const body = make("div");
  body.append(make("b", { textContent: title }));
  if (text) body.append(make("p", { textContent: text }));
  if (code) body.append(make("pre", { textContent: code }));
  if (link) body.append(make("a", { href: link.href, textContent: link.text, target: "_blank", rel: "noopener" }));
  item.append(sign, body);
  return item;
}

/** The findings as lines for an issue or a mail. */
const asText = (findings) => findings.map(({ mark, title, text, code }) => [`${mark} ${title}`, text, code].filter(Boolean).join("\n  ")).join("\n");

function summary(findings) {
  const faults = findings.filter(({ mark }) => mark === FAULT).length;
  if (!faults) return "Nothing is wrong with this page.";
  return faults === 1 ? "One thing is wrong:" : `${faults} things are wrong:`;
}

async function showPanel() {
  const host = make("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const panel = make("section");
  panel.setAttribute("aria-label", "Why this page shows no comments, or does");
  const header = make("header");
  const close = make("button", { textContent: "Close", onclick: () => host.remove() });
  const status = make("p", { textContent: "Looking at the page…" });
  status.setAttribute("role", "status");
  header.append(make("h2", { textContent: "Comments on this page" }), close);
  panel.append(header, status);
  root.append(panel);
  document.body.append(host);

  const findings = await examine();
  findings.sort((one, other) => (other.mark === FAULT) - (one.mark === FAULT));
  status.textContent = summary(findings);
  const list = make("ol");
  list.append(...findings.map(itemOf));
  panel.append(list);
  if (!navigator.clipboard) return;
  const copy = make("button", { textContent: "Copy" });
  copy.onclick = () => navigator.clipboard.writeText(asText(findings)).then(() => { copy.textContent = "Copied"; }, () => {});
  close.before(copy);
}

showPanel();
