// Likes and votes: links become buttons, whose clicks show at once.

import "./collapse.js";
import { form, parse, thread } from "./core.js";
import { randomHex, save } from "./session.js";

/** What `/embed/own` says of this reader. */
let own = { token: form?.token.value, csrf: form?.csrf_token.value, votes: [], mine: [] };
let queue = Promise.resolve(); // the last click counts

function show(votes, { value, number }) {
  const shown = votes.querySelector(".number");
  shown.textContent = (number ?? +shown.textContent + value - (votes.dataset.value ?? 0)) || "";
  votes.dataset.value = value;
  for (const button of votes.querySelectorAll("button")) button.ariaPressed = String(+button.dataset.vote === value);
}

/** Turn links into buttons, also of comments that come later. */
function addButtons() {
  for (const link of thread.querySelectorAll("a.vote")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "vote", ariaPressed: "false" });
    Object.assign(button.dataset, link.dataset, { path: link.getAttribute("href") });
    button.append(...link.childNodes);
    link.replaceWith(button);
    showOwn(button.parentElement);
  }
}

function showOwn(votes) {
  const isThis = ({ id }) => votes.parentElement.id === `comment-${id}`;
  show(votes, own.votes.find(isThis) ?? { value: 0 });
  if (own.mine.some(isThis)) votes.classList.add("own");
}

export function showVotes(answer) {
  own = answer;
  thread.querySelectorAll(".votes").forEach(showOwn);
}

async function send(path, vote) {
  const { ask, authorKey } = await import("./forms.js");
  const key = authorKey() || randomHex(24);
  save("sessionStorage", "key", key);
  if (form) form.author_key.value = key;
  const post = () => ask(path, new URLSearchParams({ vote, author_key: key, token: own.token, csrf_token: own.csrf }));
  const reply = await post();
  if (!reply.own) return reply;
  Object.assign(own, reply.own); // the page was open for long, or somebody has logged in
  return post();
}

thread.addEventListener("click", ({ target }) => {
  const button = target.closest("button.vote");
  if (!button) return;
  const votes = button.parentElement;
  const value = button.ariaPressed === "true" ? 0 : +button.dataset.vote;
  votes.parentElement.querySelector(":scope > .error")?.remove();
  show(votes, { value });
  queue = queue.then(async () => {
    const reply = await send(button.dataset.path, value);
    if (reply.ok) own.votes = [reply, ...own.votes.filter(({ id }) => id !== reply.id)];
    if (+votes.dataset.value === value) showOwn(votes);
    if (reply.ok) return;
    votes.parentElement.append(parse('<p class="error" role="alert"></p>'));
    votes.parentElement.lastElementChild.textContent = reply.message;
  });
});

addButtons();
new MutationObserver(addButtons).observe(thread, { childList: true, subtree: true });
if (!form) import("./forms.js"); // which asks for it under a closed article
