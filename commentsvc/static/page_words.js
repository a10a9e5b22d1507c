// The words that the admin view's scripts show, in the page's language: a JSON block of the page has them.

const words = JSON.parse(document.querySelector("#words").textContent);
const plural = new Intl.PluralRules(document.documentElement.lang);

/** The words of this name. */
export const text = (name) => words[name];

/** The form of this name that belongs to a number, with the number in it. */
export function counted(name, count) {
  const forms = words[name];
  return (forms[plural.select(count)] ?? forms.other).replace("%(count)s", count);
}
