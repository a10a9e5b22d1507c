// What a one-page app does with a thread: point it elsewhere, take it out, put one in.
const place = document.getElementById("place");
const choices = [...document.querySelectorAll("[data-url]")];
const remove = document.getElementById("remove");
const add = document.getElementById("add");
let url = choices[0].dataset.url;

for (const choice of choices) {
  choice.addEventListener("click", () => {
    url = choice.dataset.url;
    for (const other of choices) other.setAttribute("aria-pressed", String(other === choice));
    place.querySelector("comment-thread")?.setAttribute("url", url);
  });
}

remove.addEventListener("click", () => {
  place.replaceChildren();
  remove.hidden = true;
  add.hidden = false;
});

add.addEventListener("click", () => {
  const thread = document.createElement("comment-thread");
  thread.setAttribute("url", url);
  thread.setAttribute("theme", root.dataset.theme);
  place.append(thread);
  remove.hidden = false;
  add.hidden = true;
});
