// <comment-thread>: an article's discussion, in a frame of the service that this script came from.
// <div id="comments"> shows one too; <span data-comment-count="URL"> is filled with a number.
// Threads stand in shadow roots: a framework that compares the page with what it rendered finds no difference.

(() => {
  if (customElements.get("comment-thread")) return;

  const WRITTEN = ""; // the service fills in its own address as it gives this file out
  const script = document.currentScript;
  const source = script?.dataset.service || WRITTEN || script?.src || document.querySelector('script[src*="/embed.js"]')?.src;
  if (!source) return console.error('commentsvc: this copy of embed.js does not know its service; name it in the script tag: data-service="https://comments.example".');
  const service = new URL(source, location.href).origin;

  const AHEAD = 800;
  const CANONICAL = 'link[rel="canonical"]';
  const ROUTE = /#!?\/.*/;
  const place = ({ url, canonical }) => `${url} ${canonical}`;
  const permalink = () => /#comment-(\d{1,15})$/.exec(location.hash)?.[1];
  const sheet = new CSSStyleSheet();
  // The frame is a little wider than its place, for focus rings, but not than the screen.
  sheet.replaceSync(`:host { display: block } :host([hidden]), slot[hidden] { display: none }
iframe { display: block; border: 0; width: min(100% + 8px, 100vw); max-width: none; margin: 0 max(-4px, (100% - 100vw) / 2) }
p { opacity: .8 }`);

  /** An address without its fragment; with `routes`, one that names an article of a hash router (#/…) stays. */
  function plain(href, routes) {
    const route = routes ? (ROUTE.exec(href)?.[0].replace(/#comment-\d+$/, "") ?? "") : "";
    return href.split("#")[0] + route;
  }

  /** How bright a colour is, in whatever notation: from 0 to 255. */
  function brightness(colour) {
    const brush = document.createElement("canvas").getContext("2d");
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  const isLight = (colour) => brightness(colour) > 140;

  /** Act after the page's own turn: routers show an article first, then move the address and write the head. */
  function afterTurn(act) {
    let waiting = true;
    const once = () => waiting && ((waiting = false), act());
    if (document.readyState !== "complete") return setTimeout(once);
    setTimeout(once, 100); // no frame is drawn in a tab that is not in front
    requestAnimationFrame(() => setTimeout(once));
  }

  const threads = new Set();

  class CommentThread extends HTMLElement {
    static observedAttributes = ["url", "thread-id", "hash-routes", "order", "theme", "sso"].flatMap((name) => [name, `data-${name}`]);

    #host = this; // the element that the page wrote
    #root = this.attachShadow({ mode: "open" });
    #slot = document.createElement("slot");
    #frame = null;
    #stop = null;
    #queued = false;
    #ready = false;
    #look = "";
    #known = ""; // where the page was when this was loaded, or was last found to show the same article
    #comment = 0;

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [sheet];
      this.#root.append(this.#slot);
    }

    /** Show a thread in an element that is none itself. */
    static inhabit(host) {
      if (host.shadowRoot || host.querySelector("comment-thread")) return;
      const thread = document.createElement("comment-thread");
      thread.#host = host;
      thread.setAttribute("exportparts", "frame, note");
      thread.append(document.createElement("slot"));
      host.attachShadow({ mode: "open" }).append(thread);
      new MutationObserver((changes) => changes.forEach(({ attributeName }) => thread.#changed(attributeName))).observe(host, { attributes: true });
    }

    connectedCallback() {
      threads.add(this);
      this.#restart();
    }

    disconnectedCallback() {
      threads.delete(this);
      this.#end();
    }

    attributeChangedCallback(name, before, after) {
      if (before !== after && this.isConnected) this.#changed(name);
    }

    #changed(name) {
      if (name.endsWith("theme")) this.#dress();
      else if (name.endsWith("sso")) this.#vouch();
      else if (CommentThread.observedAttributes.includes(name)) this.#restart();
    }

    /** Look again which article the page shows, and try again where nothing could be loaded. */
    refresh() {
      if (this.#frame) this.follow();
      else this.#restart();
    }

    /** Load another thread where the page has gone on to another article. */
    follow() {
      const page = this.#page();
      if (!this.#known || !this.#derived || this.#known === place(page)) return;
      this.#known = place(page);
      if (this.#ready) this.#say({ commentsvc: "page", ...page }); // only the service knows which addresses are one article's
      else this.#restart();
    }

    /** Several attributes may change in one go; load once, after the last. */
    #restart() {
      if (this.#queued) return;
      this.#queued = true;
      afterTurn(() => {
        this.#queued = false;
        this.#end();
        if (this.isConnected) this.#begin();
      });
    }

    #begin() {
      const { signal } = (this.#stop = new AbortController());
      if (this.#isNear() || permalink() || this.#comment || this.#attribute("sso")) return this.#load(); // such a token does not keep
      const near = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        if (!this.#frame) this.#load();
      }, { rootMargin: `${AHEAD}px` });
      near.observe(this);
      signal.addEventListener("abort", () => near.disconnect());
      addEventListener("hashchange", () => permalink() && !this.#frame && this.#load(), { signal });
    }

    /** Whether it is near for certain: an observer says so a frame later. */
    #isNear() {
      const styled = [...document.querySelectorAll('link[rel~="stylesheet"]')].every(({ sheet }) => sheet);
      return styled && this.#host.offsetParent && this.getBoundingClientRect().top < innerHeight + AHEAD;
    }

    /** Show what the page wrote into the element, after something of ours. */
    #end(...ours) {
      this.#stop?.abort();
      this.#stop = this.#frame = null;
      this.#ready = this.#slot.hidden = false;
      this.#root.replaceChildren(...ours, this.#slot);
    }

    #attribute(name) {
      return this.#host.getAttribute(name) ?? this.#host.getAttribute(`data-${name}`) ?? "";
    }

    get #routes() {
      return this.#host.matches("[hash-routes], [data-hash-routes]");
    }

    /** Whether it is the page's address that says which thread this is. */
    get #derived() {
      return !this.#attribute("url") && !this.#attribute("thread-id");
    }

    /** What the page says of itself at this moment. */
    #page() {
      const routes = this.#routes;
      const canonical = document.querySelector(CANONICAL)?.href ?? "";
      return {
        url: plain(location.href, routes),
        canonical: routes && !ROUTE.test(canonical) ? "" : plain(canonical, routes), // one for all routes says nothing
        title: this.#attribute("page-title") || document.querySelector('meta[property="og:title"]')?.content || document.title,
      };
    }

    #address(look) {
      const page = this.#page();
      const own = this.#attribute("url");
      const asked = new URLSearchParams({ url: own ? plain(new URL(own, document.baseURI).href, this.#routes) : page.url });
      if (!own && page.canonical) asked.set("canonical", page.canonical);
      if (this.#attribute("thread-id")) asked.set("id", this.#attribute("thread-id"));
      if (this.#attribute("order")) asked.set("order", this.#attribute("order"));
      const told = { origin: location.origin, title: page.title, look, comment: this.#comment || permalink() };
      this.#known = place(page);
      this.#comment = 0;
      return `${service}/embed?${asked}#${encodeURIComponent(JSON.stringify(told))}`;
    }

    /** What the page around looks like here. */
    #appearance() {
      // The page's rules do not reach into shadow roots, so ask elsewhere; it is gone before anybody sees it.
      const inner = document.createElement("comment-thread");
      const probe = this.#host === this ? this : this.#host.appendChild(inner);
      const link = probe.appendChild(document.createElement("a"));
      link.href = "#";
      this.#slot.hidden = false; // or WebKit has no styles of it
      const style = getComputedStyle(probe);
      const { color, fontFamily } = style;
      const own = Object.fromEntries(["text", "accent", "font", "radius"].map((name) => [name, style.getPropertyValue(`--comments-${name}`).trim()]));
      const accent = getComputedStyle(link).color;
      link.style.color = "LinkText";
      const common = getComputedStyle(link).color;
      link.remove();
      inner.remove();
      this.#slot.hidden = Boolean(this.#frame);
      const asked = this.#attribute("theme");
      const theme = ["light", "dark"].includes(asked) ? asked : isLight(own.text || color) ? "dark" : "light";
      const suits = isLight(color) === (theme === "dark");
      const legible = theme === "dark" ? brightness(accent) > 90 : brightness(accent) < 165;
      return {
        theme,
        font: own.font || fontFamily,
        text: own.text || (suits ? color : ""),
        accent: own.accent || (suits && legible && ![color, common].includes(accent) ? accent : ""),
        radius: own.radius,
      };
    }

    /** Follow the page's look. */
    #dress() {
      if (!this.#frame) return;
      const look = this.#appearance();
      const same = JSON.stringify(look);
      if (same === this.#look) return;
      this.#look = same;
      this.#frame.style.colorScheme = look.theme;
      this.#say({ commentsvc: "look", look });
    }

    #say(message) {
      this.#frame?.contentWindow?.postMessage(message, service);
    }

    /** Tell the frame who the page's reader is, by the page's own token; none for nobody. */
    #vouch() {
      this.#say({ commentsvc: "sso", token: this.#attribute("sso") });
    }

    #tell(name) {
      this.#host.dispatchEvent(new CustomEvent(name, { bubbles: true }));
    }

    #hear(frame, data) {
      const type = data?.commentsvc;
      if (type === "ready") {
        this.#ready = true;
        this.#look = "";
        this.#dress();
        this.#vouch();
        this.#tell("commentsready");
      }
      if (type === "stale") this.#tell("commentsstale");
      if (type === "height" && data.height > 0 && data.height < 1e6) frame.style.height = `${data.height}px`;
      if (type === "scroll" && Number.isFinite(data.top)) {
        const top = scrollY + frame.getBoundingClientRect().top + data.top - innerHeight / 4;
        const calm = !data.smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
        scrollTo({ top, behavior: calm ? "instant" : "smooth" });
      }
      // A comment is about to be posted: under which article?
      if (type === "where") this.#say({ commentsvc: "page", asked: true, derived: this.#derived, ...this.#page() });
      if (type === "other") {
        this.#comment = +data.comment || 0;
        this.#restart();
      }
    }

    #load() {
      const { signal } = this.#stop;
      const frame = document.createElement("iframe");
      frame.title = "Comments";
      frame.part = "frame";
      frame.style.height = "280px";
      const look = this.#appearance();
      frame.style.colorScheme = look.theme;
      frame.allow = "clipboard-write";
      frame.src = this.#address(look);

      addEventListener("message", ({ data, origin, source }) => {
        if (origin === service && source === frame.contentWindow) this.#hear(frame, data);
      }, { signal });

      addEventListener("hashchange", () => permalink() && this.#say({ commentsvc: "go", id: +permalink() }), { signal });

      const dress = () => this.#dress();
      const dressTwice = () => (dress(), setTimeout(() => signal.aborted || dress(), 400)); // after the page's own transition
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dressTwice, { signal });
      const watch = new MutationObserver(dressTwice);
      for (const element of [document.documentElement, document.body]) watch.observe(element, { attributes: true });
      signal.addEventListener("abort", () => watch.disconnect());

      // A frame tells nobody that it failed; one that does not speak in time has.
      const doubt = () => this.#ready || signal.aborted || this.#fail();
      frame.addEventListener("load", () => setTimeout(doubt, 4000), { once: true, signal });
      setTimeout(doubt, 20000);

      this.#slot.hidden = true;
      this.#root.prepend((this.#frame = frame));
    }

    #fail() {
      const note = document.createElement("p");
      const again = document.createElement("button");
      note.part = "note";
      again.type = "button";
      again.textContent = "Try again";
      again.addEventListener("click", () => this.#restart());
      note.append("The comments cannot be shown right now. ", again);
      this.#end(note);
      console.warn(`comment-thread: ${service} did not answer, or does not let ${location.origin} show its frames.`);
    }
  }

  let counted = new WeakMap();

  /** Fill every span that is new or names another article than before, by requests that any proxy takes. */
  async function count() {
    const asked = new Map();
    for (const span of document.querySelectorAll("[data-comment-count]")) {
      const { commentCount: named, threadId: id } = span.dataset;
      const url = plain(new URL(named || location.href, document.baseURI).href, named) + (id ? `#thread-id=${encodeURIComponent(id)}` : "");
      if (counted.get(span) !== url) asked.set(span, url);
      counted.set(span, url);
    }
    const left = [...new Set(asked.values())];
    while (left.length) {
      const query = new URLSearchParams();
      do query.append("url", left.pop()); while (left.length && `${query}`.length < 4e3);
      const answer = await fetch(`${service}/counts?${query}`).catch(() => null);
      const counts = answer?.ok ? await answer.json() : {};
      for (const [span, url] of asked) if (url in counts && counted.get(span) === url) span.textContent = counts[url].toLocaleString();
    }
  }

  function look() {
    document.querySelectorAll("div#comments").forEach(CommentThread.inhabit);
    count();
  }

  let moving = false;

  /** The page may have moved on. */
  function moved() {
    if (moving) return;
    moving = true;
    afterTurn(() => {
      moving = false;
      for (const thread of threads) thread.follow();
      count();
    });
  }

  /** See what routers and loaders bring into the page, and where they go. Nothing of the page's own is replaced. */
  function watch() {
    const wanted = `div#comments, [data-comment-count], ${CANONICAL}`;
    const has = (node) => node.matches?.(wanted) || node.querySelector?.(wanted);
    let address = location.href;
    new MutationObserver((changes) => {
      const brought = changes.some(({ type, target, addedNodes }) => (type === "attributes" ? has(target) : [...addedNodes].some(has)));
      if (brought) look();
      if (brought || address !== location.href || changes.some(({ target }) => !document.body?.contains(target))) moved();
      address = location.href;
    }).observe(document, { childList: true, subtree: true, attributeFilter: ["href", "rel", "id", "data-comment-count", "data-thread-id"] });
    for (const type of ["popstate", "hashchange"]) addEventListener(type, moved);
    for (const type of ["currententrychange", "navigatesuccess"]) window.navigation?.addEventListener(type, moved);
  }

  customElements.define("comment-thread", CommentThread);

  window.commentsvc = {
    refresh() {
      counted = new WeakMap();
      look();
      moved();
    },
  };

  function start() {
    look();
    watch();
    moved(); // by now the head is complete
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
