// Collapses a conversation by its line, which is a button.

import { highlight, thread } from "./core.js";
import { translate } from "./words.js";

function set(button, open) {
  const { parentElement: conversation } = button;
  const count = conversation.querySelectorAll(".reply > :not(.placeholder)").length
    + +(conversation.querySelector(":scope > .more > a")?.dataset.count ?? 0); // some languages say one without a digit
  button.ariaExpanded = String(open);
  button.ariaLabel = open ? translate("hide", { count }) : null;
  button.textContent = open ? "" : translate("hidden", { count });
}

function addLines() {
  for (const replies of thread.querySelectorAll("#comments .replies:has(li)")) {
    if (replies.previousElementSibling.matches(".thread-line")) continue;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "thread-line" });
    replies.before(button);
    set(button, true);
  }
}

thread.addEventListener("click", ({ target }) => {
  if (!target.matches(".thread-line")) return;
  const open = target.ariaExpanded === "false";
  set(target, open);
  document.getElementById("status").textContent = target.textContent;
  if (!open) highlight(target.parentElement.querySelector(".comment"));
});

addLines();
new MutationObserver((records) => {
  addLines();
  for (const { target } of records) {
    const line = target.matches(".reply > .highlighted") && target.closest(".replies").previousElementSibling;
    if (line?.ariaExpanded !== "false") continue;
    set(line, true); // a link has led into it
    highlight(target);
  }
}).observe(thread, { childList: true, subtree: true, attributeFilter: ["class"] });
