// The capture page around <cameo-capture>: takes the token from the fragment, and offers the languages.
// The fragment is TOKEN, or TOKEN&lang=TAG.
import { LANGUAGES, loadWords } from "./words.js";
import "./cameo-capture.js";

const capture = document.querySelector("cameo-capture");
const picker = document.querySelector("#language");
const label = document.querySelector("label[for=language]");
const [token, ...rest] = location.hash.slice(1).split("&");
const given = new URLSearchParams(rest.join("&"));

for (const [tag, name] of Object.entries(LANGUAGES)) {
  const option = new Option(name, tag);
  option.lang = tag;
  picker.append(option);
}

async function speak(tag) {
  const words = await loadWords(tag);
  document.documentElement.lang = words.tag;
  document.documentElement.dir = given.get("dir") === "rtl" ? "rtl" : words.dir;
  document.title = words.title;
  label.textContent = words.language;
  picker.value = words.tag;
  capture.lang = words.tag;
}

picker.addEventListener("change", () => speak(picker.value));
// The picker goes while the person is on camera: one thing at a time.
capture.addEventListener("cameo-state", (event) => { document.body.dataset.state = event.detail.state; });
// Back to where the link was; a page that was opened by itself has no way on.
capture.toggleAttribute("last", history.length < 2);
for (const name of ["cameo-again", "cameo-done"]) capture.addEventListener(name, () => history.back());
window.addEventListener("hashchange", () => location.reload());

await speak(given.get("lang") || navigator.language);
capture.token = token;
