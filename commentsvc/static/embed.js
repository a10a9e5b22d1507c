// <comment-thread> and <div id="comments"> show a thread; <span data-comment-count="URL"> a number.
// Frameworks ignore shadow roots.

(() => {
  if (customElements.get("comment-thread")) return;

  const WRITTEN = ""; // the service writes its address here
  const script = document.currentScript;
  const source = script?.dataset.service || WRITTEN;
  if (!source) {
    return console.error('commentsvc: this copy does not know its service; its script tag needs data-service="https://…".');
  }
  const service = new URL(source, location).href.replace(/\/(embed\.js.*)?$/, "");

  const AHEAD = 800;
  const WATCHED = ["url", "thread-id", "hash-routes", "order", "sso", "load"].flatMap((name) => [name, `data-${name}`]);
  const CANONICAL = 'link[rel="canonical"]';
  const ROUTE = /#!?\/.*/;
  const pageKey = ({ url, canonical }) => `${url} ${canonical}`;
  const ANCHOR = /#([^/]*com+ent|isso|c\d{5})[^/]*\d\w*$/;
  const permalink = () => ANCHOR.exec(location.hash)?.[0];
  const SAVED = "This is a saved copy. The comments cannot be answered right now. ";
  const styles = new CSSStyleSheet();
  // Wider, for focus rings.
  styles.replaceSync(`:host { display: block } :host([hidden]), slot[hidden] { display: none }
iframe {
  border: 0;
  display: block !important;
  width: min(100% + 8px, 100vw) !important;
  min-width: 0 !important;
  max-width: none !important;
  height: var(--height, 280px) !important;
  min-height: 0 !important;
  max-height: none !important;
  margin: 0 max(-4px, (100% - 100vw) / 2) !important;
  background: none !important;
  filter: none !important;
  color-scheme: var(--theme) !important
}
iframe:not([style*=height]) { background: repeating-linear-gradient(#8882 0 16px, #0000 0 36px) !important }
[inert] { margin-bottom: calc(-1 * var(--height, 280px)) !important; opacity: 0 !important }
@media print { iframe { width: var(--width) !important; height: var(--paper) !important } }
i { display: block; width: 0; position: relative }
button {
  padding: .5em 1em;
  border: 1px solid;
  border-radius: var(--comments-radius, 6px);
  background: none;
  color: inherit;
  font: inherit
}
p { opacity: .8 }`);

  /** An address without its fragment; with `routes`, that of a hash router (#/…) stays. */
  function trimFragment(href, routes) {
    const route = routes ? (ROUTE.exec(href)?.[0].replace(ANCHOR, "") ?? "") : "";
    return href.split("#")[0] + route;
  }

  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  const resolve = (href) => make("a", { href }).href;

  /** The brightness of colours above each other, from 0 to 255; NaN if they are transparent. */
  function brightness(...colours) {
    const brush = make("canvas").getContext("2d");
    brush.globalCompositeOperation = "destination-over";
    for (brush.fillStyle of colours) brush.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
    return alpha < 128 ? NaN : (3 * red + 6 * green + blue) / 10;
  }

  /** The colours behind an element, nearest first. */
  function* grounds(element) {
    for (; element; element = element.assignedSlot ?? element.parentElement ?? element.parentNode?.host) {
      const { backgroundColor, backgroundImage } = getComputedStyle(element);
      yield backgroundColor;
      if (backgroundImage !== "none") return;
    }
  }

  const due = new Set();

  /** Act once, after routers. */
  function afterTurn(act) {
    if (due.has(act)) return;
    due.add(act);
    const once = () => due.delete(act) && act();
    setTimeout(once, document.readyState === "complete" ? 100 : 0);
    requestAnimationFrame(() => setTimeout(once));
  }

  const threads = new Set();
  let hasAsked = false; // by load="click"
  const mayAsk = () => hasAsked || !document.querySelector('[load="click"], [data-load="click"]');

  class CommentThread extends HTMLElement {
    #host = this; // the element that the page wrote
    #root = this.attachShadow({ mode: "open" });
    #slot = make("slot");
    #note = make("div");
    #frame = null;
    #aborter = null;
    #ready = false;
    #observer = new MutationObserver((changes) => {
      for (const { target, attributeName, oldValue } of changes) {
        if (oldValue === target.getAttribute(attributeName)) continue;
        if (attributeName.endsWith("sso")) this.#sendToken();
        else this.#restart();
      }
    });
    #shownSigns = ""; // of the look
    #shownPage = ""; // where this article was last
    #permalink = 0;

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [styles];
      this.#root.append(this.#note, this.#slot);
    }

    static attachTo(host) {
      if (host.shadowRoot || host.querySelector("comment-thread")) return;
      const thread = make("comment-thread");
      thread.#host = host;
      thread.setAttribute("exportparts", "frame, note");
      thread.append(make("slot"));
      host.attachShadow({ mode: "open" }).append(thread);
    }

    connectedCallback() {
      threads.add(this);
      this.#observer.observe(this.#host, { attributeFilter: WATCHED, attributeOldValue: true });
      this.#restart();
    }

    disconnectedCallback() {
      threads.delete(this);
      this.#observer.disconnect();
      this.#unload();
    }

    refresh() {
      if (this.#frame) this.followPage();
      else this.#restart();
    }

    followPage() {
      const page = this.#page();
      if (!this.#shownPage || !this.#isDerived || this.#shownPage === pageKey(page)) return;
      this.#shownPage = pageKey(page);
      if (this.#ready) this.#send("page", page);
      else this.#restart();
    }

    #retry = () => {
      this.#unload();
      if (this.isConnected) this.#loadWhenNear();
    };

    #begin = () => {
      this.#note.replaceChildren();
      this.#retry();
    };

    #restart() {
      afterTurn(this.#begin);
    }

    #loadWhenNear() {
      if (!hasAsked && this.#attribute("load") === "click") {
        this.#offer("", this.#attribute("load-text") || "Show comments", () => {
          hasAsked = true;
          threads.forEach((thread) => thread.#frame ?? thread.#begin());
          this.#frame?.addEventListener("load", ({ target }) => target.focus());
          updateCounts();
        });
        if (permalink()) this.scrollIntoView({ block: "center" });
        return;
      }
      const { signal } = (this.#aborter = new AbortController());
      addEventListener("hashchange", () => {
        if (!permalink()) return;
        this.#send("go", { id: permalink() });
        this.#load();
      }, { signal });
      if (this.#isNear() || permalink() || this.#permalink || this.#attribute("sso")) return this.#load(); // a token expires
      const observer = new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting)) this.#load();
      }, { rootMargin: `${AHEAD}px` });
      observer.observe(this);
      signal.addEventListener("abort", () => observer.disconnect());
    }

    /** An observer is a frame later. */
    #isNear() {
      const styled = [...document.querySelectorAll('link[rel~="stylesheet"]')].every(({ sheet }) => sheet);
      return styled && this.#host.offsetParent && this.getBoundingClientRect().top < innerHeight + AHEAD;
    }

    #unload() {
      this.#aborter?.abort();
      this.#frame?.remove();
      this.#aborter = this.#frame = null;
      this.#ready = this.#slot.hidden = false;
    }

    #attribute(name) {
      return this.#host.getAttribute(name) ?? this.#host.getAttribute(`data-${name}`) ?? "";
    }

    get #routes() {
      return this.#host.matches("[hash-routes], [data-hash-routes]");
    }

    get #isDerived() {
      return !this.#attribute("url") && !this.#attribute("thread-id");
    }

    #page() {
      const routes = this.#routes;
      const canonical = document.querySelector(CANONICAL)?.href ?? "";
      return {
        url: trimFragment(location.href, routes),
        canonical: routes && !ROUTE.test(canonical) ? "" : trimFragment(canonical, routes), // one for all routes says nothing
        title: this.#attribute("page-title") || document.querySelector('meta[property="og:title"]')?.content || document.title,
      };
    }

    #frameUrl(look) {
      const page = this.#page();
      const own = this.#attribute("url");
      const query = new URLSearchParams(Object.entries({
        url: own ? trimFragment(resolve(own), this.#routes) : page.url,
        canonical: own ? "" : page.canonical,
        id: this.#attribute("thread-id"),
        order: this.#attribute("order"),
        lang: (this.#host.closest("[lang]") ?? document.documentElement).lang,
      }).filter(([, value]) => value));
      const facts = { origin: location.origin, title: page.title, look, comment: this.#permalink || permalink() };
      this.#shownPage = pageKey(page);
      this.#permalink = 0;
      return `${service}/embed?${query}#${encodeURIComponent(JSON.stringify(facts))}`;
    }

    #appearance() {
      // Page rules stop at shadow roots.
      const probe = this.#host.appendChild(make("comment-thread"));
      const link = probe.appendChild(make("a", { href: "#" }));
      this.#slot.hidden = false; // or WebKit has no styles of it
      const style = getComputedStyle(probe);
      const { color } = style;
      const own = (name) => style.getPropertyValue(`--comments-${name}`).trim();
      const accent = getComputedStyle(link).color;
      link.style.color = "LinkText";
      const ground = brightness(...grounds(this.#host));
      const text = brightness(own("text") || color);
      const wanted = this.#attribute("theme");
      // The text tells, unless illegible.
      const isDark = wanted === "dark" || (wanted !== "light" && (Math.abs(text - ground) < 64 ? ground < 140 : text > (ground || 140)));
      const suits = isDark === brightness(color) > 140;
      const legible = isDark ? brightness(accent) > 90 : brightness(accent) < 165;
      const look = {
        theme: isDark ? "dark" : "light",
        font: own("font") || style.fontFamily,
        text: own("text") || (suits ? color : ""),
        accent: own("accent") || (suits && legible && ![color, getComputedStyle(link).color].includes(accent) ? accent : ""),
        size: own("size") || style.fontSize,
        radius: own("radius"),
        card: own("card"),
        look: this.#attribute("look"),
      };
      probe.remove();
      this.#slot.hidden = !this.#frame.inert;
      this.#frame.style.setProperty("--theme", look.theme);
      return look;
    }

    /** Called often: no event tells of styles. */
    #sendLook() {
      const { color, fontFamily, fontSize } = getComputedStyle(this.#host);
      const link = getComputedStyle(document.links[0] ?? this.#host).color;
      const signs = [color, fontFamily, fontSize, link, this.#attribute("theme"), this.#attribute("look"), ...grounds(this.#host)].join();
      if (signs === this.#shownSigns) return;
      this.#shownSigns = signs;
      this.#send("look", { look: this.#appearance() });
    }

    #send(commentsvc, more) {
      this.#frame?.contentWindow?.postMessage({ commentsvc, ...more }, service);
    }

    #sendToken() {
      this.#send("sso", { token: this.#attribute("sso") });
    }

    #receive(frame, data) {
      const type = data?.commentsvc;
      if (type === "ready") {
        this.#ready = true;
        frame.title = data.title ?? frame.title;
        this.#shownSigns = "";
        this.#sendLook();
        this.#sendToken();
      }
      if (["ready", "stale"].includes(type)) this.#host.dispatchEvent(new Event("comments" + type, { bubbles: true }));
      if (type === "height" && data.height > 0 && data.height < 1e6) {
        if (this.getBoundingClientRect().top > innerHeight) this.#host.style.minHeight &&= 0;
        for (const name of ["height", "paper", "width"]) frame.style.setProperty(`--${name}`, `${data[name]}px`);
        if (frame.inert) setTimeout(() => {
          if (frame !== this.#frame) return;
          frame.inert = false;
          this.#slot.hidden = true;
          this.#note.replaceChildren();
        }, 100);
      }
      if (type === "scroll" && Number.isFinite(data.top)) {
        // No sticky header reaches the middle.
        const place = make("i");
        place.style.top = `${data.top}px`;
        this.#root.prepend(place);
        place.scrollIntoView({ block: "center", behavior: data.smooth ? "smooth" : "instant" });
        place.remove();
      }
      if (type === "where") this.#send("page", { asked: true, derived: this.#isDerived, ...this.#page() });
      if (type === "other") {
        this.#permalink = data.comment;
        this.#restart();
      }
    }

    #load() {
      if (this.#frame) return;
      const { signal } = this.#aborter;
      const frame = (this.#frame = make("iframe", { title: "Comments", part: "frame", allow: "clipboard-write" }));
      // What the page has stays meanwhile.
      frame.inert = this.#note.children[1] ?? (!this.#shownSigns && this.#host.querySelector(".commentsvc"));
      if (!frame.inert) this.#note.replaceChildren();
      frame.src = this.#frameUrl(this.#appearance());

      addEventListener("message", ({ data, origin, source }) => {
        if (origin === new URL(service).origin && source === frame.contentWindow) this.#receive(frame, data);
      }, { signal });

      const timer = setInterval(() => this.#ready && this.#sendLook(), 250);
      signal.addEventListener("abort", () => clearInterval(timer));

      // No event tells of failed frames.
      const checkReady = () => this.#ready || signal.aborted || this.#fail();
      frame.addEventListener("load", () => setTimeout(checkReady, 4000), { once: true, signal });
      setTimeout(checkReady, 20000);

      this.#root.prepend(frame);
    }

    async #fail() {
      console.warn(`comment-thread: ${service} did not answer, or does not allow ${location.origin}.`);
      const frame = this.#frame;
      if (this.#note.children[1]) this.#unload();
      else this.#offer(frame.inert ? SAVED : "The comments cannot be shown right now. ", "Try again", this.#retry);
      const note = this.#note.firstChild;
      if (!frame.inert) {
        const { href, origin, protocol } = make("a", { href: this.#attribute("fallback") || "data:" });
        const html = (origin === location.origin || protocol === "https:")
          && (await fetch(href).then((answer) => answer.ok && answer.text()).catch(() => ""));
        if (!html || !note.isConnected) return;
        // It cannot tell its height.
        frame.sandbox = "allow-popups allow-popups-to-escape-sandbox";
        frame.srcdoc = `<!doctype html><base target=_blank><style>html { ${frame.style.cssText} color-scheme: var(--theme); font: 1em system-ui }</style>${html}`;
        frame.style.cssText += "--height: 70vh; --paper: 70vh; --width: 100%";
        note.firstChild.data = SAVED;
        note.after(frame);
      }
      setTimeout(() => note.isConnected && this.#retry(), 6e4 * (1 + Math.random()));
    }

    #offer(words, label, act) {
      const note = make("p", { part: "note" });
      note.append(words, make("button", { textContent: label, onclick: act }));
      this.#unload();
      this.#note.replaceChildren(note);
    }
  }

  let countedUrls = new WeakMap();

  /** Fill new spans, by short requests. */
  async function updateCounts() {
    if (!mayAsk()) return;
    const spans = new Map();
    for (const span of document.querySelectorAll("[data-comment-count]")) {
      const { commentCount: named, threadId: id } = span.dataset;
      const url = trimFragment(resolve(named || location.href), named) + (id ? `#thread-id=${encodeURIComponent(id.toWellFormed())}` : "");
      if (countedUrls.get(span) !== url) spans.set(span, url);
      countedUrls.set(span, url);
    }
    const queries = [];
    for (const url of new Set(spans.values())) {
      const more = `&url=${encodeURIComponent(url)}`;
      if (!(queries[0]?.length + more.length < 4e3)) queries.unshift("");
      queries[0] += more;
    }
    for (const query of queries) {
      const counts = await fetch(`${service}/counts?${query}`).then((answer) => answer.json()).catch(() => ({}));
      for (const [span, url] of spans) if (url in counts && countedUrls.get(span) === url) span.textContent = counts[url].toLocaleString();
    }
  }

  function scan() {
    document.querySelectorAll("div#comments").forEach(CommentThread.attachTo);
  }

  function follow() {
    threads.forEach((thread) => thread.followPage());
    updateCounts();
  }

  const checkPage = () => afterTurn(follow);

  function watchPage() {
    const wanted = `div#comments, [data-comment-count], ${CANONICAL}`;
    const has = (node) => node.matches?.(wanted) || node.querySelector?.(wanted);
    let address = location.href;
    new MutationObserver((changes) => {
      const added = changes.some(({ type, target, addedNodes }) => (type === "attributes" ? has(target) : [...addedNodes].some(has)));
      if (added) scan();
      if (added || address !== location.href || changes.some(({ target }) => !document.body?.contains(target))) checkPage();
      address = location.href;
    }).observe(document, { childList: true, subtree: true, attributeFilter: ["href", "rel", "id", "data-comment-count", "data-thread-id"] });
    for (const type of ["popstate", "hashchange"]) addEventListener(type, checkPage);
    for (const type of ["currententrychange", "navigatesuccess"]) window.navigation?.addEventListener(type, checkPage);
  }

  customElements.define("comment-thread", CommentThread);

  window.commentsvc = {
    refresh() {
      countedUrls = new WeakMap();
      scan();
      checkPage();
    },
  };

  function start() {
    scan();
    watchPage();
    checkPage();
    if (location.search.includes("commentsvc-doctor")) import(`${service}/static/-/doctor.js`);
    document.addEventListener("selectionchange", () => mayAsk() && document.querySelector("[quotes], [data-quotes]") && import(`${service}/static/-/quotes.js`));
  }
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
