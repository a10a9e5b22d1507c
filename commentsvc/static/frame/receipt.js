// A guest's private links to their comments: shown after posting, stored in this browser, and found in the menu.

import { load, thread } from "./core.js";
import { save } from "./session.js";
import { translate } from "./words.js";

export const storedReceipts = () => ({ ...load("localStorage", "receipts"), ...load("sessionStorage", "receipts") });

export function storeReceipt(id, link, remembered) {
  const newest = Object.fromEntries(Object.entries({ ...storedReceipts(), [id]: link }).slice(-50)); // the ids are in order
  save("sessionStorage", "receipts", newest);
  if (remembered) save("localStorage", "receipts", newest);
}

thread.addEventListener("click", ({ target }) => {
  if (!target.matches(".posted button")) return;
  const link = target.previousElementSibling;
  getSelection().selectAllChildren(link); // where the browser refuses, the keyboard copies
  navigator.clipboard?.writeText(link.href).then(() => (target.textContent = translate("copied")), () => {});
});
