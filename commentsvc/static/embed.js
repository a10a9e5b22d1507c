// <comment-thread>: an article's discussion, in a frame of the service that this script came from.
// <div id="comments"> shows one too; <span data-comment-count="URL"> is filled with a number.
// Threads stand in shadow roots, which frameworks do not look into.

(() => {
  if (customElements.get("comment-thread")) return;

  const WRITTEN = ""; // the service writes its own address here
  const script = document.currentScript;
  const source = script?.dataset.service || WRITTEN || script?.src || document.querySelector('script[src*="/embed.js"]')?.src;
  if (!source) {
    return console.error('commentsvc: this copy of embed.js does not know its service; '
      + 'name it in the script tag: data-service="https://comments.example".');
  }
  const service = new URL(source, location).href.replace(/\/(embed\.js.*)?$/, "");

  const AHEAD = 800;
  const CANONICAL = 'link[rel="canonical"]';
  const ROUTE = /#!?\/.*/;
  const pageKey = ({ url, canonical }) => `${url} ${canonical}`;
  const permalink = () => /#comment-(\d{1,15})$/.exec(location.hash)?.[1];
  const styles = new CSSStyleSheet();
  // The frame is a little wider than its place, for focus rings, but not than the screen.
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
@media print { iframe { width: var(--width) !important; height: var(--paper) !important } }
i { display: block; width: 0; position: relative }
p { opacity: .8 }`);

  /** An address without its fragment; with `routes`, one that names an article of a hash router (#/…) stays. */
  function trimFragment(href, routes) {
    const route = routes ? (ROUTE.exec(href)?.[0].replace(/#comment-\d+$/, "") ?? "") : "";
    return href.split("#")[0] + route;
  }

  /** An address in full; what is none, as it is. */
  const resolve = (href) => Object.assign(document.createElement("a"), { href }).href;

  /** How bright colours are, each below the one before, from 0 to 255; NaN where one sees through them. */
  function brightness(...colours) {
    const brush = document.createElement("canvas").getContext("2d");
    brush.globalCompositeOperation = "destination-over";
    for (brush.fillStyle of colours) brush.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
    return alpha < 128 ? NaN : (3 * red + 6 * green + blue) / 10;
  }

  /** The colours behind an element, the nearest first, down to a picture. */
  function* grounds(element) {
    for (; element; element = element.assignedSlot ?? element.parentElement ?? element.parentNode?.host) {
      const { backgroundColor, backgroundImage } = getComputedStyle(element);
      yield backgroundColor;
      if (backgroundImage !== "none") return;
    }
  }

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
    static observedAttributes = ["url", "thread-id", "hash-routes", "order", "sso"].flatMap((name) => [name, `data-${name}`]);

    #host = this; // the element that the page wrote
    #root = this.attachShadow({ mode: "open" });
    #slot = document.createElement("slot");
    #frame = null;
    #aborter = null;
    #restarting = false;
    #ready = false;
    #shownSigns = ""; // of the look that the frame has been told
    #shownPage = ""; // where the page was when it was last found to show this article
    #permalink = 0;

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [styles];
      this.#root.append(this.#slot);
    }

    /** Show a thread in an element that is none itself. */
    static attachTo(host) {
      if (host.shadowRoot || host.querySelector("comment-thread")) return;
      const thread = document.createElement("comment-thread");
      thread.#host = host;
      thread.setAttribute("exportparts", "frame, note");
      thread.append(document.createElement("slot"));
      host.attachShadow({ mode: "open" }).append(thread);
      new MutationObserver((changes) => changes.forEach(({ attributeName }) => thread.#changed(attributeName)))
        .observe(host, { attributes: true });
    }

    connectedCallback() {
      threads.add(this);
      this.#restart();
    }

    disconnectedCallback() {
      threads.delete(this);
      this.#unload();
    }

    attributeChangedCallback(name, before, after) {
      if (before !== after && this.isConnected) this.#changed(name);
    }

    #changed(name) {
      if (name.endsWith("sso")) this.#sendToken();
      else if (CommentThread.observedAttributes.includes(name)) this.#restart();
    }

    /** Look again which article the page shows, and try again where nothing could be loaded. */
    refresh() {
      if (this.#frame) this.followPage();
      else this.#restart();
    }

    /** Load another thread where the page shows another article. */
    followPage() {
      const page = this.#page();
      if (!this.#shownPage || !this.#isDerived || this.#shownPage === pageKey(page)) return;
      this.#shownPage = pageKey(page);
      if (this.#ready) this.#send({ commentsvc: "page", ...page }); // only the service knows which addresses are one article's
      else this.#restart();
    }

    /** Several attributes may change in one go; load once, after the last. */
    #restart() {
      if (this.#restarting) return;
      this.#restarting = true;
      afterTurn(() => {
        this.#restarting = false;
        this.#unload();
        if (this.isConnected) this.#loadWhenNear();
      });
    }

    #loadWhenNear() {
      const { signal } = (this.#aborter = new AbortController());
      addEventListener("hashchange", () => permalink() && (this.#frame ? this.#send({ commentsvc: "go", id: +permalink() }) : this.#load()), { signal });
      if (this.#isNear() || permalink() || this.#permalink || this.#attribute("sso")) return this.#load(); // such a token does not keep
      const observer = new IntersectionObserver((entries) => {
        if (!this.#frame && entries.some((entry) => entry.isIntersecting)) this.#load();
      }, { rootMargin: `${AHEAD}px` });
      observer.observe(this);
      signal.addEventListener("abort", () => observer.disconnect());
    }

    /** Whether it is near for certain: an observer says so a frame later. */
    #isNear() {
      const styled = [...document.querySelectorAll('link[rel~="stylesheet"]')].every(({ sheet }) => sheet);
      return styled && this.#host.offsetParent && this.getBoundingClientRect().top < innerHeight + AHEAD;
    }

    /** Show what the page wrote into the element, after something of ours. */
    #unload(...ours) {
      this.#aborter?.abort();
      this.#aborter = this.#frame = null;
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
      }).filter(([, value]) => value));
      const facts = { origin: location.origin, title: page.title, look, comment: this.#permalink || permalink() };
      this.#shownPage = pageKey(page);
      this.#permalink = 0;
      return `${service}/embed?${query}#${encodeURIComponent(JSON.stringify(facts))}`;
    }

    #appearance() {
      // The page's rules do not reach into shadow roots, so ask elsewhere; it is gone before anybody sees it.
      const probe = this.#host.appendChild(document.createElement("comment-thread"));
      const link = probe.appendChild(document.createElement("a"));
      link.href = "#";
      this.#slot.hidden = false; // or WebKit has no styles of it
      const style = getComputedStyle(probe);
      const { color } = style;
      const own = (name) => style.getPropertyValue(`--comments-${name}`).trim();
      const accent = getComputedStyle(link).color;
      link.style.color = "LinkText";
      const ground = brightness(...grounds(this.#host));
      const text = brightness(own("text") || color);
      const wanted = this.#attribute("theme");
      // The text tells, unless none could read it there.
      const isDark = wanted === "dark" || (wanted !== "light" && (Math.abs(text - ground) < 64 ? ground < 140 : text > (ground || 140)));
      const suits = isDark === brightness(color) > 140;
      const legible = isDark ? brightness(accent) > 90 : brightness(accent) < 165;
      const look = {
        theme: isDark ? "dark" : "light",
        font: own("font") || style.fontFamily,
        text: own("text") || (suits ? color : ""),
        accent: own("accent") || (suits && legible && ![color, getComputedStyle(link).color].includes(accent) ? accent : ""),
        radius: own("radius"),
      };
      probe.remove();
      this.#slot.hidden = Boolean(this.#frame);
      return look;
    }

    /** Called again and again: no event tells of style sheets, :has() and animations. */
    #sendLook() {
      const { color, fontFamily } = getComputedStyle(this.#host);
      const link = getComputedStyle(document.links[0] ?? this.#host).color;
      const signs = [color, fontFamily, link, this.#attribute("theme"), ...grounds(this.#host)].join();
      if (signs === this.#shownSigns) return;
      this.#shownSigns = signs;
      const look = this.#appearance();
      this.#frame.style.setProperty("--theme", look.theme);
      this.#send({ commentsvc: "look", look });
    }

    #send(message) {
      this.#frame?.contentWindow?.postMessage(message, service);
    }

    #sendToken() {
      this.#send({ commentsvc: "sso", token: this.#attribute("sso") });
    }

    #emit(name) {
      this.#host.dispatchEvent(new CustomEvent(name, { bubbles: true }));
    }

    #receive(frame, data) {
      const type = data?.commentsvc;
      if (type === "ready") {
        this.#ready = true;
        this.#shownSigns = "";
        this.#sendLook();
        this.#sendToken();
        this.#emit("commentsready");
      }
      if (type === "stale") this.#emit("commentsstale");
      if (type === "height" && data.height > 0 && data.height < 1e6) {
        for (const name of ["height", "paper", "width"]) frame.style.setProperty(`--${name}`, `${data[name]}px`);
      }
      if (type === "scroll" && Number.isFinite(data.top)) {
        // The browser knows what scrolls, and zoom; no sticky header reaches the middle.
        const place = document.createElement("i");
        place.style.top = `${data.top}px`;
        this.#root.prepend(place);
        place.scrollIntoView({ block: "center", behavior: data.smooth ? "smooth" : "instant" });
        place.remove();
      }
      // A comment is about to be posted: under which article?
      if (type === "where") this.#send({ commentsvc: "page", asked: true, derived: this.#isDerived, ...this.#page() });
      if (type === "other") {
        this.#permalink = +data.comment || 0;
        this.#restart();
      }
    }

    #load() {
      const { signal } = this.#aborter;
      const frame = document.createElement("iframe");
      frame.title = "Comments";
      frame.part = "frame";
      const look = this.#appearance();
      frame.style.setProperty("--theme", look.theme);
      frame.allow = "clipboard-write";
      frame.src = this.#frameUrl(look);

      addEventListener("message", ({ data, origin, source }) => {
        if (origin === new URL(service).origin && source === frame.contentWindow) this.#receive(frame, data);
      }, { signal });

      const timer = setInterval(() => this.#ready && this.#sendLook(), 250);
      signal.addEventListener("abort", () => clearInterval(timer));

      // No event reports that a frame has failed.
      const checkReady = () => this.#ready || signal.aborted || this.#fail();
      frame.addEventListener("load", () => setTimeout(checkReady, 4000), { once: true, signal });
      setTimeout(checkReady, 20000);

      this.#slot.hidden = true;
      this.#root.prepend((this.#frame = frame));
    }

    #fail() {
      const note = document.createElement("p");
      const again = document.createElement("button");
      note.part = "note";
      again.textContent = "Try again";
      again.addEventListener("click", () => this.#restart());
      note.append("The comments cannot be shown right now. ", again);
      this.#unload(note);
      console.warn(`comment-thread: ${service} did not answer, or does not let ${location.origin} show its frames.`);
    }
  }

  let countedUrls = new WeakMap();

  /** Fill every span that is new or names another article than before, by requests that any proxy takes. */
  async function updateCounts() {
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
    updateCounts();
  }

  let checking = false;

  function checkPage() {
    if (checking) return;
    checking = true;
    afterTurn(() => {
      checking = false;
      for (const thread of threads) thread.followPage();
      updateCounts();
    });
  }

  /** See what routers and loaders bring into the page, and where they go. */
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
    checkPage(); // by now the head is complete
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
