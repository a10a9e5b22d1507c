// Leads from the article's post on Mastodon to it on the reader's server.

import { load } from "./core.js";

const link = document.getElementById("mastodon-post");
const known = document.getElementById("known-server");
const form = document.getElementById("own-server");
const post = link.href;
let server = load("localStorage", "server");

function lead() {
  if (server) link.href = `https://${server}/authorize_interaction?uri=${encodeURIComponent(post)}`;
  known.hidden = !server;
  known.firstElementChild.textContent = server;
}

function ask(event) {
  event.preventDefault();
  form.hidden = false;
  form.server.focus();
}

link.addEventListener("click", (event) => server || ask(event));
known.lastElementChild.addEventListener("click", ask);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  server = /([^@/]+)(\/|$)/.exec(form.server.value.replace(/^.*:\/\//, ""))[1].trim();
  import("./session.js").then(({ save }) => save("localStorage", "server", server));
  form.hidden = true;
  lead();
  link.click();
});
lead();
