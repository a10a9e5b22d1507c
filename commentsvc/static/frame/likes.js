// Likes and votes: links become buttons, whose clicks show at once.

import "./collapse.js";
import { form, parse, thread } from "./core.js";
import { randomHex, save } from "./session.js";

/** What `/embed/own` says of this reader. */
let own = { token: form?.token.value, csrf: form?.csrf_token.value, votes: [], mine: [] };
const cast = new Map(); // by comment, what was clicked here: newer than `own`
let queue = Promise.resolve();

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
  show(votes, cast.get(votes.parentElement.id) ?? own.votes.find(isThis) ?? { value: 0 });
  if (own.mine.some(isThis)) votes.classList.add("own");
}

export function showVotes(answer) {
  if (answer.member?.mark !== own.member?.mark) cast.clear();
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
  Object.assign(own, reply.own);
  return post();
}

thread.addEventListener("click", ({ target }) => {
  const button = target.closest("button.vote");
  if (!button) return;
  const votes = button.parentElement;
  const comment = votes.parentElement;
  const former = cast.get(comment.id);
  const clicked = { value: button.ariaPressed === "true" ? 0 : +button.dataset.vote };
  cast.set(comment.id, clicked);
  comment.querySelector(":scope > .error")?.remove();
  showOwn(votes);
  queue = queue.then(async () => {
    const reply = await send(button.dataset.path, clicked.value);
    if (cast.get(comment.id) === clicked) cast.set(comment.id, reply.ok ? reply : former);
    showOwn(votes);
    if (reply.ok) return;
    comment.append(parse('<p class="error" role="alert"></p>'));
    comment.lastElementChild.textContent = reply.message;
  });
});

addButtons();
new MutationObserver(addButtons).observe(thread, { childList: true, subtree: true });
if (!form) import("./forms.js");
