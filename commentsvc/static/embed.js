// <comment-thread>: an article's discussion, in a frame of the service that this script came from.
// <div id="comments"> becomes one; <span data-comment-count="URL"> is filled with a number.

(() => {
  const script = document.currentScript ?? document.querySelector('script[src$="/embed.js"]');
  const service = new URL(script.src).origin;
  if (customElements.get("comment-thread")) return;

  const AHEAD = 800;
  const permalink = () => /^#comment-(\d{1,15})$/.exec(location.hash)?.[1];

  /** How bright a colour is, in whatever notation: from 0 to 255. */
  function brightness(colour) {
    const brush = document.createElement("canvas").getContext("2d");
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  const isLight = (colour) => brightness(colour) > 140;

  class CommentThread extends HTMLElement {
    static observedAttributes = ["url", "thread-id", "data-url", "data-thread-id", "order", "theme", "data-theme", "page-title", "sso", "data-sso"];

    #frame = null;
    #stop = null;
    #queued = false;
    #look = "";

    connectedCallback() {
      this.#restart();
    }

    disconnectedCallback() {
      this.#end();
    }

    attributeChangedCallback(name, before, after) {
      if (before === after || !this.isConnected) return;
      if (name.endsWith("theme")) this.#dress();
      else if (name.endsWith("sso")) this.#vouch();
      else this.#restart();
    }

    /** Several attributes may change in one go; load once, after the last. */
    #restart() {
      if (this.#queued) return;
      this.#queued = true;
      queueMicrotask(() => {
        this.#queued = false;
        this.#end();
        if (this.isConnected) this.#begin();
      });
    }

    #begin() {
      const { signal } = (this.#stop = new AbortController());
      this.style.display ||= "block";
      if (this.#isNear() || permalink() || this.#attribute("sso")) return this.#load(); // such a token does not keep
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
      return styled && this.offsetParent && this.getBoundingClientRect().top < innerHeight + AHEAD;
    }

    #end() {
      this.#stop?.abort();
      this.#stop = this.#frame = null;
      this.replaceChildren();
    }

    #attribute(name) {
      return this.getAttribute(name) ?? this.getAttribute(`data-${name}`) ?? "";
    }

    #address(look) {
      const url = new URL(this.#attribute("url") || location.href, document.baseURI);
      const asked = new URLSearchParams({ url: url.href.split("#")[0] });
      const canonical = !this.#attribute("url") && document.querySelector('link[rel="canonical"]')?.href;
      if (canonical) asked.set("canonical", canonical.split("#")[0]);
      if (this.#attribute("thread-id")) asked.set("id", this.#attribute("thread-id"));
      if (this.#attribute("order")) asked.set("order", this.#attribute("order"));
      const told = {
        origin: location.origin,
        title: this.#attribute("page-title") || document.querySelector('meta[property="og:title"]')?.content || document.title,
        look,
        comment: permalink(),
      };
      return `${service}/embed?${asked}#${encodeURIComponent(JSON.stringify(told))}`;
    }

    /** What the page around looks like here. */
    #appearance() {
      const style = getComputedStyle(this);
      const probe = this.appendChild(document.createElement("a"));
      probe.href = "#";
      const link = getComputedStyle(probe).color;
      probe.style.color = "LinkText";
      const plain = getComputedStyle(probe).color;
      probe.remove();
      const own = (name) => style.getPropertyValue(`--comments-${name}`).trim();
      const asked = this.#attribute("theme");
      const theme = ["light", "dark"].includes(asked) ? asked : isLight(own("text") || style.color) ? "dark" : "light";
      const suits = isLight(style.color) === (theme === "dark");
      const legible = theme === "dark" ? brightness(link) > 90 : brightness(link) < 165;
      return {
        theme,
        font: own("font") || style.fontFamily,
        text: own("text") || (suits ? style.color : ""),
        accent: own("accent") || (suits && legible && ![style.color, plain].includes(link) ? link : ""),
        radius: own("radius"),
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

    #load() {
      const { signal } = this.#stop;
      const frame = document.createElement("iframe");
      frame.title = "Comments";
      // A little wider than its place, for focus rings, but never than the screen.
      frame.style.cssText = "display:block;border:0;height:280px;width:min(100% + 8px,100vw);max-width:none;margin:0 max(-4px,(100% - 100vw)/2)";
      const look = this.#appearance();
      frame.style.colorScheme = look.theme;
      frame.allow = "clipboard-write";
      frame.src = this.#address(look);
      let ready = false;

      addEventListener("message", ({ data, origin, source }) => {
        if (origin !== service || source !== frame.contentWindow) return;
        const type = data?.commentsvc;
        if (type === "ready") {
          ready = true;
          this.#look = "";
          this.#dress();
          this.#vouch();
          this.dispatchEvent(new CustomEvent("commentsready", { bubbles: true }));
        }
        if (type === "stale") this.dispatchEvent(new CustomEvent("commentsstale", { bubbles: true }));
        if (type === "height" && data.height > 0 && data.height < 1e6) frame.style.height = `${data.height}px`;
        if (type === "scroll" && Number.isFinite(data.top)) {
          const top = scrollY + frame.getBoundingClientRect().top + data.top - innerHeight / 4;
          const calm = !data.smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
          scrollTo({ top, behavior: calm ? "instant" : "smooth" });
        }
      }, { signal });

      addEventListener("hashchange", () => permalink() && this.#say({ commentsvc: "go", id: +permalink() }), { signal });

      const dress = () => this.#dress();
      const dressTwice = () => (dress(), setTimeout(() => signal.aborted || dress(), 400)); // after the page's own transition
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dressTwice, { signal });
      const watch = new MutationObserver(dressTwice);
      for (const element of [document.documentElement, document.body]) watch.observe(element, { attributes: true });
      signal.addEventListener("abort", () => watch.disconnect());

      // A frame tells nobody that it failed; one that does not speak in time has.
      const doubt = () => ready || signal.aborted || this.#fail();
      frame.addEventListener("load", () => setTimeout(doubt, 4000), { once: true, signal });
      setTimeout(doubt, 20000);

      this.#frame = frame;
      this.replaceChildren(frame);
    }

    #fail() {
      this.#end();
      const note = document.createElement("p");
      const again = document.createElement("button");
      note.style.opacity = ".8";
      again.type = "button";
      again.textContent = "Try again";
      again.addEventListener("click", () => this.#restart());
      note.append("The comments cannot be shown right now. ", again);
      this.replaceChildren(note);
      console.warn(`comment-thread: ${service} did not answer, or does not let ${location.origin} show its frames.`);
    }

    /** Fill every span, by requests that any proxy takes. */
    static async count() {
      const spans = [...document.querySelectorAll("[data-comment-count]")];
      const asked = spans.map((span) => {
        const url = new URL(span.dataset.commentCount || location.href, document.baseURI).href.split("#")[0];
        return span.dataset.threadId ? `${url}#thread-id=${encodeURIComponent(span.dataset.threadId)}` : url;
      });
      const left = [...new Set(asked)];
      while (left.length) {
        const query = new URLSearchParams();
        do query.append("url", left.pop()); while (left.length && `${query}`.length < 4e3);
        const answer = await fetch(`${service}/counts?${query}`).catch(() => null);
        const counts = answer?.ok ? await answer.json() : {};
        spans.forEach((span, at) => asked[at] in counts && (span.textContent = counts[asked[at]].toLocaleString()));
      }
    }
  }

  customElements.define("comment-thread", CommentThread);

  function start() {
    const place = document.querySelector("div#comments");
    if (place && !place.querySelector("comment-thread")) {
      const thread = document.createElement("comment-thread");
      for (const { name, value } of place.attributes) if (name.startsWith("data-")) thread.setAttribute(name, value);
      place.replaceChildren(thread);
    }
    CommentThread.count();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
