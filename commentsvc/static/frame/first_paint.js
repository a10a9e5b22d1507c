// In the page itself, so that the first paint has the final look; core.js exports its parts.

window.firstPaint = (() => {
  const root = document.documentElement;
  const framed = parent !== window;

  // In the address's fragment, which no server sees.
  const hostFacts = (() => {
    try {
      return JSON.parse(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return {};
    }
  })();
  const { now, origins } = document.getElementById("thread").dataset;
  const allowed = origins.split(" ");
  const isAllowed = (origin) => allowed.includes(origin) || allowed[0] === "*";
  /** `ssoToken`: whom it says the reader to be; "" for nobody, undefined until it has spoken. */
  const host = { origin: framed && isAllowed(hostFacts?.origin) ? hostFacts.origin : null };

  function sendToHost(type, facts) {
    if (host.origin) parent.postMessage({ commentsvc: type, ...facts }, host.origin);
  }

  /** Tell the host page how high this is; `paper`: without the form, and nothing folded. */
  function sendHeight() {
    if (root.hidden) return;
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    let paper = height - (document.getElementById("reply")?.offsetHeight ?? 0);
    for (const text of document.querySelectorAll(".text")) paper += text.scrollHeight - text.clientHeight;
    sendToHost("height", { height, paper, width: innerWidth });
  }

  // Values that can load nothing.
  const UNSAFE = /[;{}\\]|(?<!rgba?|hsla?|hwb|lab|lch|color|mix|dark|calc)\(/i;

  const sheet = document.getElementById("looks");

  /** A promise while a sheet loads. */
  function applyLook(look) {
    if (Object(look) !== look) return;
    if (["light", "dark"].includes(look.theme)) root.dataset.theme = look.theme;
    for (const name of ["text", "accent", "font", "radius", "size", "card"]) {
      const value = look[name];
      if (typeof value === "string" && value.length < 400 && !UNSAFE.test(value)) root.style.setProperty(`--${name}`, value);
    }
    root.dataset.look = look.look ?? "";
    if (look.look && sheet?.disabled) return new Promise((resolve) => {
      root.hidden = !(sheet.disabled = false);
      sheet.onload = sheet.onerror = () => resolve(root.hidden = false);
    });
  }

  let ages; // takes 15 ms to load

  const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

  function updateTimes(within = document) {
    for (const element of within.querySelectorAll("time")) {
      const seconds = (Date.now() - new Date(element.dateTime)) / 1000;
      const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
      element.textContent = unit ? (ages ??= new Intl.RelativeTimeFormat(`${root.lang}-u-nu-latn`)).format(Math.ceil(-seconds / size), unit) : now;
    }
  }

  if (host.origin) root.classList.add("unscrolled");
  const hasLook = host.origin && applyLook(hostFacts.look);
  // Before the modules.
  document.addEventListener("readystatechange", () => {
    updateTimes();
    sendHeight();
  }, { once: true });

  return { applyLook, framed, hasLook, host, hostFacts, isAllowed, sendHeight, sendToHost, updateTimes };
})();
