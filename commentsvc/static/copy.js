// Buttons that copy a code block or the value of a field, made by templates/copy_button.html; they are hidden where this
// script does not run.

for (const button of document.querySelectorAll("[data-copies]")) {
  const label = button.firstChild;
  const words = label.textContent;
  button.hidden = !navigator.clipboard; // it is missing in pages without TLS
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      label.textContent = button.dataset.copied;
    } catch {
      label.textContent = button.dataset.byHand;
      source.select?.();
      if (!source.select) getSelection().selectAllChildren(source);
    }
    setTimeout(() => { label.textContent = words; }, 2000);
  });
}
