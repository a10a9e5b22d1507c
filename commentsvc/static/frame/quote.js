// A quote of the article in the box.

import "./composer.js";
import { form, highlight, parse, thread } from "./core.js";
import { translate } from "./words.js";

const { text } = form.elements;
const note = parse("<p class=note><button type=button class=link></button>").firstChild;
let source;

note.firstChild.textContent = translate("unquote");
note.prepend(`${translate("quoting")} `);

function write(value) {
  text.value = value;
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
}

note.lastChild.onclick = () => write(text.value.replace(source, ""));
for (const type of ["focusin", "input"]) form.addEventListener(type, () => text.value.includes(source) || note.remove());

/** `fragment`: where it is, percent-encoded. */
export function quote(data) {
  const passage = data.text.slice(0, 300).replace(/\s+/g, " ").replace(/[\\`*_~[<]|&\b/g, "\\$&");
  const link = thread.dataset.quote + data.fragment.replace(/[^\w%,]/g, "");
  source = `${translate("quoted", { link })}\n\n> ${passage}\n\n`;
  form.querySelector(".rest").prepend(note);
  write(`${text.value}\n\n${source}`.trimStart());
  highlight(form);
}
