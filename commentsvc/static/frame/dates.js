// The full date of a comment, for whoever points at its age.

const { lang } = document.documentElement;
const language = navigator.languages.find((one) => one.startsWith(lang)) ?? lang; // as this reader writes it

export function addTitle(time) {
  time.title = new Date(time.dateTime).toLocaleString(language, { dateStyle: "long", timeStyle: "short" });
}
