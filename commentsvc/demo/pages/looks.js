// Tries the looks and variables of docs/theming.md on a thread, and computes how legible the colours are.
const controls = document.getElementById("controls");
const thread = document.querySelector("comment-thread");
const VARIABLES = ["accent", "text", "card", "font", "size", "radius"];
const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** What colours look like above each other, the lowest first: red, green and blue from 0 to 1. */
function blend(...colours) {
  for (brush.fillStyle of colours) brush.fillRect(0, 0, 1, 1);
  return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255);
}

/** The relative luminance of WCAG 2.2. */
function luminance(colour) {
  const [red, green, blue] = colour.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** A colour as the browser computes it: names, variables and light-dark() become numbers. */
function computed(colour) {
  const probe = document.createElement("i");
  probe.style.color = colour;
  document.body.append(probe);
  const result = getComputedStyle(probe).color;
  probe.remove();
  return result;
}

/** A row for each pair of colours that readers meet. */
function pairs() {
  const page = getComputedStyle(root).backgroundColor;
  const text = computed(controls.text.value || "var(--ink)");
  const accent = computed(controls.accent.value || "var(--accent)");
  const softer = computed(`color-mix(in srgb, ${text} 76%, transparent)`);
  const ownCard = root.dataset.theme === "dark" ? `color-mix(in srgb, ${text} 6%, transparent)` : "#fff";
  const grounds = { "the page": [page] };
  if (controls.look.value) grounds["a card"] = [page, computed(controls.card.value || ownCard)];
  const rows = Object.entries(grounds).flatMap(([name, ground]) => [
    [`Text on ${name}`, contrast(blend(...ground, text), blend(...ground))],
    [`Softer text on ${name}`, contrast(blend(...ground, softer), blend(...ground))],
    [`Links on ${name}`, contrast(blend(...ground, accent), blend(...ground))],
  ]);
  const button = blend(page, accent);
  return [...rows, ["Words on a button", Math.max(contrast(button, [0, 0, 0]), contrast(button, [1, 1, 1]))]];
}

function showContrast() {
  const rows = pairs().map(([name, ratio]) => {
    const row = document.createElement("tr");
    for (const words of [name, `${(Math.floor(ratio * 100) / 100).toFixed(2)} : 1`, ratio >= 4.5 ? "enough" : "too little"]) row.insertCell().textContent = words;
    row.classList.toggle("poor", ratio < 4.5);
    return row;
  });
  document.getElementById("contrast").replaceChildren(...rows);
}

let turn = "";

function update() {
  const chosen = new FormData(controls);
  const look = [chosen.get("look"), ...chosen.getAll("words")].filter(Boolean).join(" ");
  const set = VARIABLES.filter((name) => chosen.get(name));
  for (const name of VARIABLES) thread.style.setProperty(`--comments-${name}`, chosen.get(name) || (name === "accent" ? "var(--accent)" : ""));
  turn = " ".repeat((turn.length + 1) % 9); // other than a moment ago, however quickly somebody types
  thread.setAttribute("look", look + turn); // a changed attribute has the properties read again
  const rules = set.map((name) => `  --comments-${name}: ${chosen.get(name)};\n`).join("");
  document.getElementById("code").textContent = `<comment-thread${look && ` look="${look}"`}></comment-thread>`
    + (rules && `\n\ncomment-thread {\n${rules}}`);
  showContrast();
}

controls.addEventListener("input", update);
controls.addEventListener("submit", (event) => event.preventDefault());
new MutationObserver(showContrast).observe(root, { attributeFilter: ["data-theme"] });
update();
