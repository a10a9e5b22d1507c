// The menu at each comment, and reporting it: the form comes from the server when somebody asks for it.

import { parse, thread } from "./core.js";
import "./receipt.js";
import { authHeaders } from "./session.js";

/** Close every menu, except one. */
function closeMenus(except) {
  for (const menu of thread.querySelectorAll(".menu[open]")) menu.open = menu === except;
}

document.addEventListener("click", ({ target }) => closeMenus(target.closest(".menu")));
thread.addEventListener("keydown", ({ key, target }) => {
  const menu = key === "Escape" && target.closest(".menu");
  if (!menu) return;
  closeMenus();
  menu.firstElementChild.focus();
});

export async function openReport(link) {
  if (link.target) return void open(link.href, "_blank", "noopener");
  const menu = link.closest(".menu");
  const comment = menu.parentElement;
  if (comment.querySelector(".report")) return;
  const path = link.getAttribute("href");
  const answer = await fetch(`${path}?fragment=1`, { headers: authHeaders() });
  if (!answer.ok) return location.assign(path);
  menu.open = false;
  comment.append(parse(await answer.text()));
  const form = comment.querySelector(".report");
  const close = () => {
    form.remove();
    menu.firstElementChild.focus({ preventScroll: true });
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
    const result = await fetch(path, { method: "POST", body, headers: { Accept: "application/json", ...authHeaders() } })
      .then(async (reply) => ({ ok: reply.ok, ...(await reply.json()) }))
      .catch(() => ({ message: "The service cannot be reached. Please try again." }));
    const thanks = document.createElement("p");
    Object.assign(thanks, { className: "pending", role: "status", tabIndex: -1, textContent: result.message });
    if (result.ok) {
      form.replaceWith(thanks);
      thanks.focus({ preventScroll: true });
      menu.remove();
    } else {
      if (result.own) {
        form.elements.token.value = result.own.token;
        form.elements.csrf_token.value = result.own.csrf ?? "";
      }
      const error = form.querySelector(".error");
      error.textContent = result.message;
      error.hidden = false;
    }
  });
  form.querySelector("[type=radio]").focus({ preventScroll: true });
}
