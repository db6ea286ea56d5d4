// The texts, one data file for each language.

export const LANGUAGES = {
  en: "English", de: "Deutsch", es: "Español", fr: "Français", pt: "Português", hi: "हिन्दी", zh: "中文", ja: "日本語",
};
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);
const loaded = new Map();

/** The tag of the nearest language there are texts in: that of "de-AT" is "de"; "en" where there is none. */
export function nearest(tag) {
  const language = String(tag || "").toLowerCase().split("-")[0];
  return language in LANGUAGES ? language : "en";
}

/** The texts of the nearest language, with `tag` and `dir`. */
export function loadWords(tag) {
  const language = nearest(tag);
  if (!loaded.has(language)) loaded.set(language, load(language));
  return loaded.get(language);
}

async function load(language) {
  const answer = await fetch(new URL(`words/${language}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`no texts for ${language}: ${answer.status}`);
  return { ...(await answer.json()), tag: language, dir: RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr" };
}
