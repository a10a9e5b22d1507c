// The blog's own light and dark. It begins with what the reader's system prefers.
const root = document.documentElement;
let kept = null;
try { kept = localStorage.getItem("theme"); } catch { /* storage is switched off */ }
root.dataset.theme = kept ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

function show(theme) {
  root.dataset.theme = theme;
  document.getElementById("theme").setAttribute("aria-pressed", String(theme === "dark"));
  for (const thread of document.querySelectorAll("comment-thread")) thread.setAttribute("theme", theme);
}

addEventListener("DOMContentLoaded", () => {
  show(root.dataset.theme);
  document.getElementById("theme").addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", theme); } catch { /* then it lasts for this page */ }
    show(theme);
  });
});
