// Logging in from the frame. The frame keeps a random verifier; its SHA-256 goes out with the login, and whoever
// has the verifier fetches the session when the login is done. So it works where popups lose their opener, and
// without their cookies.

import { base, form, framed, host, load, LOGIN_WINDOW, page, sendToHost } from "./core.js";
import { authHeaders, randomHex, save, saveBearer, toHex } from "./session.js";
import { translate } from "./words.js";

const loginForm = document.getElementById("login");
const panels = Object.fromEntries([...form.querySelectorAll("[data-panel]")].map((panel) => [panel.dataset.panel, panel]));
const status = document.getElementById("status");
const leaveToken = document.getElementById("leave").elements.csrf_token;
const LOGIN_LIFE = 15 * 60000; // as long as the service keeps a login
const OPENING = 20000; // what a login's window may take to reach the service

let refresh = () => {}; // asks the service who is logged in, shows it, and says whether somebody is
let member; // who is logged in; null for nobody, undefined until the service has told
let login = null; // the one under way
let nextKeys = null; // verifier and challenge of the next one

function showPanel(name) {
  for (const [panel, element] of Object.entries(panels)) element.hidden = panel !== name;
  form.elements.identity.value = name === "member" ? "member" : "guest";
  for (const element of form.querySelectorAll("[data-logged-in]")) element.hidden = !member;
}

/** Tell a screen reader what is new, and put the focus there; whoever is writing goes on writing. */
function focusPanel(name, message) {
  const { activeElement: active } = document;
  if (!active?.matches("input, textarea") || !active.offsetParent) panels[name].focus({ preventScroll: true });
  status.textContent = message;
}

function showLoginError(message, { late = false } = {}) {
  for (const element of form.querySelectorAll("[data-login-error]")) {
    element.hidden = !message || element.closest("[data-panel]").hidden;
    element.textContent = element.hidden ? "" : message;
  }
  form.querySelector("[data-late]").hidden = !late;
}

function fillIn(values, within = form) {
  for (const element of within.querySelectorAll("[data-fill]")) {
    const value = values[element.dataset.fill];
    if (value === undefined) continue;
    if (element.tagName === "IMG") {
      element.hidden = !value;
      if (value) element.src = value;
    } else element.textContent = value ?? "";
  }
}

/** Show who is logged in, as the service told; null for nobody. */
export function showMember(now, csrf) {
  const staysGuest = now && now.mark === member?.mark && !panels.guest.hidden; // to comment as a guest all the same
  const first = member === undefined;
  member = now;
  form.elements.csrf_token.value = leaveToken.value = csrf ?? "";
  if (!member && form.elements.identity.value === "member") showPanel("guest");
  if (!member || staysGuest) return;
  if (member.provider === "sso" && host.ssoToken === "") return first ? logOut() : showPanel("guest"); // another tab may be theirs
  showLoginError("");
  fillIn(member);
  for (const element of form.querySelectorAll("[data-words]")) {
    element.hidden = (element.dataset.words === "sso") === Boolean(member.label);
  }
  showPanel("member");
}

async function prepareKeys() {
  const verifier = randomHex(32);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  nextKeys = { verifier, challenge: toHex(new Uint8Array(digest)) };
}

let isolated = false;

/** The click that asked for it is what lets a window open. */
function startLogin(provider, { tab = false } = {}) {
  let target = tab ? "_top" : LOGIN_WINDOW;
  let opened = null;
  if (!tab) {
    const left = Math.max(0, screenX + (outerWidth - 520) / 2);
    const top = Math.max(0, screenY + (outerHeight - 680) / 3);
    if (!isolated) opened = open(`${base}login/opening`, target, `popup,width=520,height=680,left=${left},top=${top}`);
    // Null although a window opened: the host page isolates itself. That window closes itself, and was the only one
    // that Firefox lets a click open; the next click opens none in vain.
    isolated ||= !opened;
    if (isolated) target = "_blank";
  }
  if (!nextKeys) return prepareKeys().then(() => startLogin(provider, { tab })); // pressed as soon as it could be
  const { verifier, challenge } = nextKeys;
  nextKeys = null;
  prepareKeys();
  if (login) cancelLogin(opened);
  loginForm.elements.challenge.value = challenge;
  loginForm.elements.purpose.value = tab ? "tab" : "frame";
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "provider", value: provider.key });
  loginForm.append(field);
  loginForm.target = target;
  loginForm.submit();
  field.remove();
  const since = Date.now();
  // The window of a server that a reader named lets go of us (going.js), and is not ours to close.
  waitFor({ verifier, provider, since, opened: provider.typed ? null : opened });
  focusPanel("connecting", translate("loggingIn", provider));
  if (tab) save("sessionStorage", "connecting", { verifier, provider, since });
}

function waitFor(begun) {
  const current = { ...begun, tries: 0, timer: 0 };
  clearTimeout(login?.timer);
  login = current;
  showLoginError("");
  fillIn({ label: current.provider.label }, panels.connecting);
  showPanel("connecting");
  form.classList.add("open");
  const ask = async () => {
    clearTimeout(current.timer);
    if (login !== current || current.asking) return;
    current.asking = true;
    const done = await redeem(current).catch(() => false);
    current.asking = false;
    if (login !== current || done) return;
    const waited = Date.now() - current.since;
    if (waited > LOGIN_LIFE || (!current.begun && waited > 6 * OPENING)) {
      cancelLogin();
      return current.late || endLogin(translate("tooLong"));
    }
    if (!current.begun && waited > OPENING && !current.late) {
      current.late = true; // a window that is only slow may still come
      showPanel("guest");
      focusPanel("guest", "");
      showLoginError(translate("notOpened"), { late: true });
    }
    current.tries += 1;
    current.timer = setTimeout(ask, Math.min(800 + current.tries * 150, 4000));
  };
  current.ask = ask;
  current.timer = setTimeout(ask, 800);
}

/** Let nobody finish this login: the service tells its window, which is closed where it can be. */
function cancelLogin(needed) {
  const { opened, timer, verifier } = login;
  clearTimeout(timer);
  login = null;
  save("sessionStorage", "connecting", null);
  if (opened !== needed) opened?.close();
  request("login/cancel", { verifier }).catch(() => {});
  form.querySelector("[data-late]").hidden = true;
}

function endLogin(error, message = "") {
  clearTimeout(login?.timer);
  login = null;
  save("sessionStorage", "connecting", null);
  showPanel("guest");
  focusPanel("guest", message);
  showLoginError(error);
}

async function request(path, more) {
  const body = new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(page.split("?")[1])), ...more });
  const headers = { Accept: "application/json", ...authHeaders() };
  const answer = await fetch(base + path, { method: "POST", body, headers, keepalive: true });
  return { status: answer.status, ...(await answer.json()) };
}

/** Fetch the session of a login; says whether the login is over. */
async function redeem(current) {
  const { opened, provider, verifier } = current;
  const answer = await request("login/redeem", { verifier });
  current.begun ||= answer.begun;
  if (answer.stage === "pending" || answer.status === 429 || answer.status >= 500) return false;
  if (login !== current) return true;
  if (answer.stage !== "done") {
    endLogin(answer.message);
    return true;
  }
  opened?.close();
  login = null;
  save("sessionStorage", "connecting", null);
  if (!(await refresh())) {
    // The browser kept no cookie: ask once more, for a token to hold ourselves.
    saveBearer((await request("login/redeem", { verifier, want: "bearer" })).bearer);
    if (!(await refresh())) endLogin(translate("notKept"));
  }
  if (member) focusPanel("member", translate("loggedIn", member));
  save("localStorage", "last", { key: provider.key, at: Date.now() });
  return true;
}

export function begin(loadReader) {
  refresh = loadReader;
  if (!framed || !crypto.subtle) return;
  prepareKeys();
  form.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.name === "provider") {
      event.preventDefault();
      const { value: key, dataset } = button;
      const typed = !dataset.label;
      if (key === member?.provider) showPanel("member");
      else startLogin({ key, typed, label: typed ? document.getElementById("instance").value : dataset.label });
    } else if (button?.matches("[data-cancel]") && login) {
      cancelLogin();
      endLogin("", translate("cancelled"));
    } else if (button?.matches("[data-tab]") && login) startLogin(login.provider, { tab: true });
    else if (button?.matches("[data-change], [data-use-account]")) {
      const name = button.matches("[data-change]") ? "guest" : "member";
      showPanel(name);
      focusPanel(name, "");
    } else if (button?.matches("[data-account]")) openAccount();
    else if (button?.matches("[data-leave]")) {
      event.preventDefault();
      logOut();
    }
  });
  const askSoon = () => document.visibilityState === "visible" && login?.ask();
  addEventListener("focus", askSoon);
  document.addEventListener("visibilitychange", askSoon);
  const connecting = load("sessionStorage", "connecting");
  if (connecting?.since > Date.now() - LOGIN_LIFE) waitFor(connecting);
  markLastProvider();
  addEventListener("ssotoken", useSsoToken);
  useSsoToken();
}

/** Log in whom the host page's token names; log out when it takes the token back. */
async function useSsoToken() {
  const { ssoToken: sso } = host;
  if (sso === "" && member?.provider === "sso") return logOut();
  if (!sso) return;
  const answer = await request("login/sso", { sso }).catch(() => ({}));
  if (sso !== host.ssoToken) return; // the host page has sent another token
  if (answer.stage === "stale") sendToHost("stale"); // the page may have a new one
  if (answer.stage !== "done") return showLoginError(answer.message ?? "");
  if ((await refresh()) && member?.provider === "sso") return;
  saveBearer((await request("login/sso", { sso, want: "bearer" }).catch(() => ({}))).bearer);
  await refresh();
}

/**
 * Open the reader's own page, where this frame's cookie does not count: with a token of ours that the service is asked
 * to honour, once. The window opens in the click itself; a popup blocker would stop one that opened later.
 */
async function openAccount() {
  const pass = randomHex(32);
  const granted = request("embed/pass", { csrf_token: leaveToken.value, pass });
  const entry = document.getElementById("pass");
  entry.elements.pass.value = pass;
  entry.submit();
  const answer = await granted.catch(() => ({}));
  showLoginError(answer.pass ? "" : (answer.message ?? translate("unreachable")));
}

async function logOut() {
  const answer = await request("login/leave", { csrf_token: leaveToken.value, door: "frame" }).catch(() => ({}));
  if (answer.left) showMember(null, "");
  await refresh(); // an older answer is void
  if (member) return answer.left || showLoginError(answer.message ?? translate("unreachable"));
  saveBearer(null);
  save("localStorage", "visits", null);
  showPanel("guest");
  focusPanel("guest", translate("loggedOut"));
}

/** Mark the provider used last, for a week. */
function markLastProvider() {
  const last = load("localStorage", "last");
  const button = Date.now() - last?.at < 7 * 86400000 && form.querySelector(`.provider[value="${CSS.escape(last.key)}"]`);
  if (!button) return;
  button.classList.add("last-used");
  button.title = translate("lastUsed", button.dataset);
}
