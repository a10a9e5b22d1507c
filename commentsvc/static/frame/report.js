// Reporting a comment, below it: the form comes from the server when somebody asks for it.

import { parse, proof } from "./main.js";

export async function report(link) {
  const comment = link.closest(".comment");
  if (comment.querySelector(".report")) return;
  const path = link.getAttribute("href");
  const answer = await fetch(`${path}?fragment=1`, { headers: proof() });
  if (!answer.ok) return location.assign(path);
  comment.append(parse(await answer.text()));
  const form = comment.querySelector(".report");
  const close = () => {
    form.remove();
    link.focus({ preventScroll: true });
  };
  form.querySelector(".cancel").addEventListener("click", (event) => {
    event.preventDefault();
    close();
  });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.elements.author_key.value = document.querySelector("#reply [name=author_key]")?.value ?? "";
    const body = new URLSearchParams(new FormData(form));
    const said = await fetch(path, { method: "POST", body, headers: { Accept: "application/json", ...proof() } })
      .then(async (reply) => ({ ok: reply.ok, ...(await reply.json()) }))
      .catch(() => ({ message: "The service cannot be reached. Please try again." }));
    const words = document.createElement("p");
    Object.assign(words, { className: "waiting", role: "status", tabIndex: -1, textContent: said.message });
    if (said.ok) {
      form.replaceWith(words);
      words.focus({ preventScroll: true });
      link.remove();
    } else {
      if (said.own) {
        form.elements.token.value = said.own.token;
        form.elements.csrf_token.value = said.own.csrf ?? "";
      }
      const fault = form.querySelector(".fault");
      fault.textContent = said.message;
      fault.hidden = false;
    }
  });
  form.querySelector("[type=radio]").focus({ preventScroll: true });
}
