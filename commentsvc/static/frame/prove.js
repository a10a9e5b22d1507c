// Proves an e-mail address by a code that is mailed to it.

import { form } from "./core.js";
import { postForm, showErrors } from "./composer.js";
import { save } from "./session.js";

const { author_key: key, code, email } = form.elements;
const row = document.getElementById("prove");
const [message, button, purpose] = row.children;

function show(text, asks = false, done = false) {
  message.textContent = text;
  code.disabled = code.parentElement.hidden = !asks;
  code.value = "";
  button.textContent = button.dataset[asks ? "check" : "ask"];
  button.hidden = done;
  purpose.hidden = asks || done;
  row.hidden = !email.value || !email.validity.valid;
}

email.addEventListener("input", () => show(""));
code.addEventListener("posted", () => show(""));
button.addEventListener("click", async () => {
  button.disabled = true;
  const { ok, body } = await postForm({}, button.getAttribute("formaction"));
  button.disabled = false;
  showErrors(ok ? {} : (body.errors ?? { form: body.message }));
  if (!ok) return;
  show(body.message, !body.proved, body.proved);
  if (body.proved) save("sessionStorage", "key", key.value);
  else code.focus();
});
if (code.disabled) show("");
