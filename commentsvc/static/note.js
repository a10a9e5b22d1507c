// Tells the owner of a page, in the browser's console, why it has no thread; its readers need not know.
console.warn(`commentsvc: ${document.getElementById("thread").dataset.owner.trim()}`);
