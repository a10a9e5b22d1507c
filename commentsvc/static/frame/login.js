// Logging in from the frame. The frame keeps a random verifier; its SHA-256 goes out with the login, and whoever
// has the verifier fetches the session when the login is done. No window has to speak with another, so it works
// where popups lose their opener, and no cookie of the popup is needed.

import { framed, hex, keep, kept, page, proof, reader, tell } from "./main.js";

const form = document.getElementById("login");
const composer = document.getElementById("reply");
const panels = Object.fromEntries([...composer.querySelectorAll("[data-panel]")].map((panel) => [panel.dataset.panel, panel]));
const fault = document.getElementById("login-fault");
const MINUTES = 5;

let onChange = () => {};
let member = null;
let known;
let waiting = null;
let pair = null;

/** Hold a token ourselves, where the browser keeps no cookie for us. */
function bear(token) {
  reader.bearer = token ?? null;
  keep("sessionStorage", "bearer", reader.bearer);
}

export function show(name) {
  for (const [panel, element] of Object.entries(panels)) element.hidden = panel !== name;
  composer.elements.identity.value = name === "member" ? "member" : "guest";
}

function say(words) {
  fault.textContent = words;
  fault.hidden = !words;
}

function fill(facts, within = composer) {
  for (const place of within.querySelectorAll("[data-fill]")) {
    const value = facts[place.dataset.fill];
    if (value === undefined) continue;
    if (place.tagName === "IMG") {
      place.hidden = !value;
      if (value) place.src = value;
    } else place.textContent = value ?? "";
  }
}

/** Show who is logged in, as the service told; null for nobody. */
export function wear(found, csrf) {
  const chosen = found && found.mark === member?.mark && !panels.guest.hidden; // to comment as a guest all the same
  const first = known === undefined;
  known = member = found;
  composer.elements.csrf_token.value = csrf ?? "";
  document.getElementById("leave").elements.csrf_token.value = csrf ?? "";
  if (!member && composer.elements.identity.value === "member") show("guest");
  if (!member || chosen) return;
  if (member.provider === "sso" && reader.vouched === "") return first ? leave() : show("guest"); // another tab may be theirs
  say("");
  fill(member);
  for (const words of composer.querySelectorAll("[data-words]")) words.hidden = (words.dataset.words === "sso") === Boolean(member.label);
  show("member");
}

async function newPair() {
  const verifier = hex(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  pair = { verifier, challenge: hex(new Uint8Array(digest)) };
}

/** Send the form out; the click that asked for it is what lets a window open. */
function start(provider, { tab = false } = {}) {
  if (!pair) return;
  const { verifier, challenge } = pair;
  pair = null;
  newPair();
  form.elements.challenge.value = challenge;
  form.elements.purpose.value = tab ? "tab" : "frame";
  let target = "_top";
  if (!tab) {
    target = `commentsvc-${challenge.slice(0, 12)}`;
    const left = Math.max(0, screenX + (outerWidth - 520) / 2);
    const top = Math.max(0, screenY + (outerHeight - 680) / 3);
    // Null although a window opened: the page around us isolates itself. That window closes itself.
    if (!open("/login/opening", target, `popup,width=520,height=680,left=${left},top=${top}`)) target = "_blank";
  }
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "provider", value: provider.key });
  form.append(field);
  form.target = target;
  form.submit();
  field.remove();
  wait({ verifier, provider });
  if (tab) keep("sessionStorage", "connecting", { verifier, provider, until: Date.now() + MINUTES * 60000 });
}

function wait({ verifier, provider }) {
  const mine = { verifier, provider, tries: 0, timer: 0 };
  clearTimeout(waiting?.timer);
  waiting = mine;
  say("");
  fill({ label: provider.label }, panels.connecting);
  show("connecting");
  composer.classList.add("open");
  const ask = async () => {
    clearTimeout(mine.timer);
    if (waiting !== mine) return;
    const done = await redeem(mine).catch(() => false);
    if (waiting !== mine || done) return;
    mine.tries += 1;
    if (mine.tries > 150) return stop("This login took too long. Please try again.");
    mine.timer = setTimeout(ask, Math.min(800 + mine.tries * 150, 4000));
  };
  mine.ask = ask;
  mine.timer = setTimeout(ask, 800);
}

function stop(words = "") {
  clearTimeout(waiting?.timer);
  waiting = null;
  keep("sessionStorage", "connecting", null);
  show("guest");
  say(words);
}

async function post(path, more) {
  const body = new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(page.split("?")[1])), ...more });
  const answer = await fetch(path, { method: "POST", body, headers: { Accept: "application/json", ...proof() } });
  return { status: answer.status, ...(await answer.json()) };
}

async function redeem(mine) {
  const answer = await post("/login/redeem", { verifier: mine.verifier });
  if (answer.stage === "pending") return false;
  if (answer.stage !== "done") {
    stop(answer.message);
    return true;
  }
  waiting = null;
  keep("sessionStorage", "connecting", null);
  if (!(await onChange())) {
    // The browser kept no cookie for us: ask once more, for a token to hold ourselves.
    bear((await post("/login/redeem", { verifier: mine.verifier, want: "bearer" })).bearer);
    if (!(await onChange())) stop("Your browser did not keep the login. You can comment as a guest.");
  }
  keep("localStorage", "last", { key: mine.provider.key, at: Date.now() });
  return true;
}

/** Begin: `changed` asks the service who is logged in, shows it, and says whether somebody is. */
export function begin(changed) {
  onChange = changed;
  if (!framed || !form || !crypto.subtle) return;
  newPair();
  composer.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.name === "provider") {
      event.preventDefault();
      if (button.value === member?.provider) show("member");
      else start({ key: button.value, label: button.value === "mastodon" ? document.getElementById("instance").value : button.dataset.label });
    } else if (button?.matches("[data-cancel]")) stop();
    else if (button?.matches("[data-tab]") && waiting) start(waiting.provider, { tab: true });
    else if (button?.matches("[data-change]")) show("guest");
    else if (button?.matches("[data-account]")) visit();
    else if (button?.matches("[data-leave]")) {
      event.preventDefault();
      leave();
    }
  });
  const soon = () => document.visibilityState === "visible" && waiting?.ask();
  addEventListener("focus", soon);
  document.addEventListener("visibilitychange", soon);
  const left = kept("sessionStorage", "connecting");
  if (left && left.until > Date.now()) wait(left);
  mark();
  addEventListener("vouched", follow);
  follow();
}

/** Follow what the page around us says of its reader; what it takes back ends. */
async function follow() {
  const token = reader.vouched;
  if (token === "" && member?.provider === "sso") return leave();
  if (!token) return;
  const answer = await post("/login/sso", { sso: token }).catch(() => ({}));
  if (token !== reader.vouched) return; // it has changed its mind
  if (answer.stage === "stale") tell("stale"); // the page may have a new one
  if (answer.stage !== "done") return say(answer.message ?? "");
  if ((await onChange()) && member.provider === "sso") return;
  bear((await post("/login/sso", { sso: token, want: "bearer" }).catch(() => ({}))).bearer);
  await onChange();
}

/** Open the reader's own page, where this frame's cookie does not count: with a token that does, once. */
async function visit() {
  const token = document.getElementById("leave").elements.csrf_token.value;
  const answer = await post("/embed/pass", { csrf_token: token }).catch(() => ({}));
  if (!answer.pass) return say(answer.message ?? "The service cannot be reached. Please try again.");
  const door = document.getElementById("pass");
  door.elements.pass.value = answer.pass;
  door.submit();
}

async function leave() {
  const token = document.getElementById("leave").elements.csrf_token.value;
  await post("/login/leave", { csrf_token: token, door: "frame" }).catch(() => {});
  bear(null);
  keep("localStorage", "signed", null);
  wear(null, "");
  show("guest");
}

/** Put the provider used last in front of the others, for a week. */
function mark() {
  const last = kept("localStorage", "last");
  const button = Date.now() - last?.at < 7 * 86400000 && composer.querySelector(`.provider[value="${CSS.escape(last.key)}"]`);
  if (!button) return;
  button.classList.add("last");
  button.title += " (used last time)";
}
