// Texts and dates, in the language of the page.

const { lang } = document.documentElement;
const locale = `${lang}-u-nu-latn`;
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}"); // pages of older releases have none
const plural = new Intl.PluralRules(locale);

/** A text with `values` in its places; `values.count` picks its form. */
export function translate(key, values = {}) {
  const text = words[key] ?? "";
  const form = text[plural.select(values.count)] ?? text.other ?? text;
  return form.replace(/%\((\w+)\)s/g, (place, name) => values[name]?.toLocaleString(locale) ?? place);
}

/** Add the full date, as this reader writes it. */
export function addTitle(time) {
  const own = navigator.languages.find((tag) => tag.startsWith(`${lang}-`)) ?? lang;
  time.title = new Date(time.dateTime).toLocaleString(`${own}-u-ca-gregory-nu-latn`, { dateStyle: "long", timeStyle: "short" });
}
