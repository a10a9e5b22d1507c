// <latest-comments> lists the latest comments of a site in a frame. It shares nothing with embed.js but the messages.

(() => {
  if (customElements.get("latest-comments")) return;

  const WRITTEN = ""; // the service writes its address here
  const source = document.currentScript?.dataset.service || WRITTEN;
  if (!source) return console.error('commentsvc: this copy does not know its service; add data-service="https://comments.example" to its script tag.');
  const service = new URL(source, location).href.replace(/\/(latest\.js.*)?$/, "");

  const styles = new CSSStyleSheet();
  styles.replaceSync(":host { display: block } slot[hidden] { display: none } iframe { border: 0; display: block; width: 100% }");

  /** The brightness of a colour, from 0 to 255. */
  function brightness(colour) {
    const brush = document.createElement("canvas").getContext("2d");
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    return (3 * red + 6 * green + blue) / 10;
  }

  customElements.define("latest-comments", class extends HTMLElement {
    static observedAttributes = ["number", "origin", "theme"];
    #root = this.attachShadow({ mode: "open" });
    #slot = document.createElement("slot");
    #frame = document.createElement("iframe");
    #aborter;
    #observer = new MutationObserver(() => this.#sendLook());

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [styles]; // a page's policy may forbid <style>
      this.#root.append(this.#slot);
      this.#frame.title = "Latest comments";
      this.#frame.part = "frame";
      this.#frame.loading = "lazy";
    }

    connectedCallback() {
      const { signal } = (this.#aborter = new AbortController());
      const { lang } = this.closest("[lang]") ?? document.documentElement;
      const query = new URLSearchParams({ origin: this.getAttribute("origin") || location.origin, number: this.getAttribute("number") ?? "", lang });
      this.#frame.src = `${service}/latest?${query}`;
      this.#frame.style.height = 0;
      this.#root.append(this.#frame);
      addEventListener("message", ({ data, origin, source }) => {
        if (origin !== new URL(service).origin || source !== this.#frame.contentWindow) return;
        if (data?.commentsvc === "ready") this.#sendLook();
        if (data?.commentsvc !== "height" || !(data.height < 1e5)) return;
        this.#slot.hidden = true; // what the page wrote shows until then
        this.#frame.style.height = `${data.height}px`;
        this.#frame.title = data.title ?? this.#frame.title;
      }, { signal });
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#sendLook(), { signal });
      for (const element of [document.documentElement, document.body]) this.#observer.observe(element, { attributes: true });
    }

    disconnectedCallback() {
      this.#aborter.abort();
      this.#observer.disconnect();
    }

    attributeChangedCallback(name, before, now) {
      if (!this.isConnected || !this.#aborter || before === now) return;
      if (name === "theme") return this.#sendLook();
      this.disconnectedCallback();
      this.connectedCallback();
    }

    #sendLook() {
      const style = getComputedStyle(this);
      const own = (name) => style.getPropertyValue(`--comments-${name}`).trim();
      const text = own("text") || style.color;
      const theme = this.getAttribute("theme") || (brightness(text) > 140 ? "dark" : "light");
      this.#frame.style.colorScheme = theme;
      const look = { theme, text, accent: own("accent"), font: own("font") || style.fontFamily };
      this.#frame.contentWindow?.postMessage({ commentsvc: "look", look }, service);
    }
  });
})();
