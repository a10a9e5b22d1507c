// Logging in from the frame. The frame keeps a random verifier; its SHA-256 goes out with the login, and whoever
// has the verifier fetches the session when the login is done. No window has to speak with another, so it works
// where popups lose their opener, and no cookie of the popup is needed.

import { framed, hex, keep, kept, page, proof, reader, tell } from "./main.js";

const form = document.getElementById("login");
const composer = document.getElementById("reply");
const panels = Object.fromEntries([...composer.querySelectorAll("[data-panel]")].map((panel) => [panel.dataset.panel, panel]));
const status = document.getElementById("status");
const LIFE = 15 * 60000; // as long as the service keeps a login
const UNSEEN = 20000; // what a login's window may take to reach the service

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
  for (const words of composer.querySelectorAll("[data-still]")) words.hidden = !member;
}

/** Tell a screen reader what is new, and put the focus there; whoever is writing goes on writing. */
function land(name, words) {
  const { activeElement: active } = document;
  if (!active?.matches("input, textarea") || !active.offsetParent) panels[name].focus({ preventScroll: true });
  status.textContent = words;
}

function say(words, { late = false } = {}) {
  for (const place of composer.querySelectorAll("[data-login-fault]")) {
    place.hidden = !words || place.closest("[data-panel]").hidden;
    place.textContent = place.hidden ? "" : words;
  }
  composer.querySelector("[data-late]").hidden = !late;
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

/** Show that nobody is logged in any more. */
export function forget() {
  wear(null, "");
  show("guest");
}

async function newPair() {
  const verifier = hex(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  pair = { verifier, challenge: hex(new Uint8Array(digest)) };
}

let isolated = false;

/** Send the form out; the click that asked for it is what lets a window open. */
function start(provider, { tab = false } = {}) {
  // One window for all logins of this frame: the one that a press opened before we were here is found by its name.
  const name = `commentsvc-${performance.timeOrigin}`;
  let target = tab ? "_top" : name;
  let opened = null;
  if (!tab) {
    const left = Math.max(0, screenX + (outerWidth - 520) / 2);
    const top = Math.max(0, screenY + (outerHeight - 680) / 3);
    if (!isolated) opened = open("/login/opening", name, `popup,width=520,height=680,left=${left},top=${top}`);
    // Null although a window opened: the page around us isolates itself. That window closes itself, and was the only
    // one that Firefox lets a click open; the next click opens none in vain.
    isolated ||= !opened;
    if (isolated) target = "_blank";
  }
  if (!pair) return newPair().then(() => start(provider, { tab })); // pressed as soon as it could be
  const { verifier, challenge } = pair;
  pair = null;
  newPair();
  if (waiting) withdraw(opened);
  form.elements.challenge.value = challenge;
  form.elements.purpose.value = tab ? "tab" : "frame";
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "provider", value: provider.key });
  form.append(field);
  form.target = target;
  form.submit();
  field.remove();
  const since = Date.now();
  // The window of a server that a reader named lets go of us (going.js), and is not ours to close.
  wait({ verifier, provider, since, opened: provider.key === "mastodon" ? null : opened });
  land("connecting", `Logging in with ${provider.label}`);
  if (tab) keep("sessionStorage", "connecting", { verifier, provider, since });
}

function wait(login) {
  const mine = { ...login, tries: 0, timer: 0 };
  clearTimeout(waiting?.timer);
  waiting = mine;
  say("");
  fill({ label: mine.provider.label }, panels.connecting);
  show("connecting");
  composer.classList.add("open");
  const ask = async () => {
    clearTimeout(mine.timer);
    if (waiting !== mine || mine.asking) return;
    mine.asking = true;
    const done = await redeem(mine).catch(() => false);
    mine.asking = false;
    if (waiting !== mine || done) return;
    const waited = Date.now() - mine.since;
    if (waited > LIFE || (!mine.begun && waited > 6 * UNSEEN)) {
      withdraw();
      return mine.late || stop("This login took too long. Please try again.");
    }
    if (!mine.begun && waited > UNSEEN && !mine.late) {
      mine.late = true; // yet a window that is only slow may still come
      show("guest");
      land("guest", "");
      say("The login window did not open, or the login could not begin.", { late: true });
    }
    mine.tries += 1;
    mine.timer = setTimeout(ask, Math.min(800 + mine.tries * 150, 4000));
  };
  mine.ask = ask;
  mine.timer = setTimeout(ask, 800);
}

/** Wait no longer, and let nobody finish this login: the service tells its window, which is closed where it can be. */
function withdraw(needed) {
  const { opened, timer, verifier } = waiting;
  clearTimeout(timer);
  waiting = null;
  keep("sessionStorage", "connecting", null);
  if (opened !== needed) opened?.close();
  post("/login/cancel", { verifier }).catch(() => {});
  composer.querySelector("[data-late]").hidden = true;
}

function stop(faults, words = "") {
  clearTimeout(waiting?.timer);
  waiting = null;
  keep("sessionStorage", "connecting", null);
  show("guest");
  land("guest", words);
  say(faults);
}

async function post(path, more) {
  const body = new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(page.split("?")[1])), ...more });
  const answer = await fetch(path, { method: "POST", body, headers: { Accept: "application/json", ...proof() }, keepalive: true });
  return { status: answer.status, ...(await answer.json()) };
}

async function redeem(mine) {
  const answer = await post("/login/redeem", { verifier: mine.verifier });
  mine.begun ||= answer.begun;
  if (answer.stage === "pending" || answer.status === 429 || answer.status >= 500) return false;
  if (waiting !== mine) return true;
  if (answer.stage !== "done") {
    stop(answer.message);
    return true;
  }
  mine.opened?.close();
  waiting = null;
  keep("sessionStorage", "connecting", null);
  if (!(await onChange())) {
    // The browser kept no cookie for us: ask once more, for a token to hold ourselves.
    bear((await post("/login/redeem", { verifier: mine.verifier, want: "bearer" })).bearer);
    if (!(await onChange())) stop("Your browser did not keep the login. You can comment as a guest.");
  }
  if (member) land("member", `You are logged in as ${member.name}.`);
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
    } else if (button?.matches("[data-cancel]") && waiting) {
      withdraw();
      stop("", "The login is cancelled.");
    } else if (button?.matches("[data-tab]") && waiting) start(waiting.provider, { tab: true });
    else if (button?.matches("[data-change], [data-keep]")) {
      const name = button.matches("[data-change]") ? "guest" : "member";
      show(name);
      land(name, "");
    } else if (button?.matches("[data-account]")) visit();
    else if (button?.matches("[data-leave]")) {
      event.preventDefault();
      leave();
    }
  });
  const soon = () => document.visibilityState === "visible" && waiting?.ask();
  addEventListener("focus", soon);
  document.addEventListener("visibilitychange", soon);
  const left = kept("sessionStorage", "connecting");
  if (left?.since > Date.now() - LIFE) wait(left);
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
  if ((await onChange()) && member?.provider === "sso") return;
  bear((await post("/login/sso", { sso: token, want: "bearer" }).catch(() => ({}))).bearer);
  await onChange();
}

/**
 * Open the reader's own page, where this frame's cookie does not count: with a token of ours that the service is asked
 * to honour, once. The window opens in the click itself; one that opened after an answer would be held for unasked.
 */
async function visit() {
  const pass = hex(crypto.getRandomValues(new Uint8Array(32)));
  const token = document.getElementById("leave").elements.csrf_token.value;
  const granted = post("/embed/pass", { csrf_token: token, pass });
  const entry = document.getElementById("pass");
  entry.elements.pass.value = pass;
  entry.submit();
  const answer = await granted.catch(() => ({}));
  say(answer.pass ? "" : (answer.message ?? "The service cannot be reached. Please try again."));
}

async function leave() {
  const token = document.getElementById("leave").elements.csrf_token.value;
  await post("/login/leave", { csrf_token: token, door: "frame" }).catch(() => {});
  bear(null);
  keep("localStorage", "signed", null);
  forget();
  land("guest", "You are logged out.");
}

/** Put the provider used last in front of the others, for a week. */
function mark() {
  const last = kept("localStorage", "last");
  const button = Date.now() - last?.at < 7 * 86400000 && composer.querySelector(`.provider[value="${CSS.escape(last.key)}"]`);
  if (!button) return;
  button.classList.add("last");
  button.title += " (used last time)";
}
