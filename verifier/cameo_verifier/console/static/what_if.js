"use strict";
// Sliders and the numbers beside them; after each move the server is asked what it would judge.

const form = document.getElementById("vary");
const numbers = [...form.querySelectorAll("input[type=number]")];
let asked = 0;
let waiting = 0;

function values() {
  const given = {};
  for (const input of numbers) {
    const changed = input.value !== "" && Number(input.value) !== Number(input.dataset.base);
    input.closest(".slider").classList.toggle("moved", changed);
    if (changed) given[input.name.slice(form.dataset.field.length)] = Number(input.value);
  }
  return given;
}

function mark(tag, name, text) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

function show(found) {
  const verdict = document.getElementById("verdict");
  verdict.replaceChildren(mark("span", `verdict ${found.verdict.toLowerCase()}`, found.verdict.toLowerCase()));
  if (found.verdict !== found.before) verdict.append(mark("small", "soft", ` was ${found.before.toLowerCase()}`));
  document.getElementById("reasons").textContent = found.reasons.join(" · ") || "no reason against it";
  document.getElementById("moved").textContent = found.moved.length
    ? `Moved: ${found.moved.map((name) => name.replaceAll("_", " ")).join(", ")}.`
    : "No threshold moved.";
  document.getElementById("verdict-checks").replaceChildren(
    ...found.checks.map((check) => {
      const line = document.createElement("li");
      line.dataset.check = check.name;
      line.classList.toggle("changed", check.changed);
      line.append(
        mark("span", "", check.title),
        mark("span", "soft", [check.score, check.limit].filter(Boolean).join(" ")),
        mark("b", check.against ? "bad" : check.passed ? "good" : "warn", check.outcome),
      );
      return line;
    }),
  );
}

async function judge() {
  const number = (asked += 1);
  const answer = await fetch(form.dataset.judge, {
    method: "POST",
    headers: { "X-CSRF-Token": document.body.dataset.csrf, "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ values: values() }),
  });
  if (number !== asked) return;
  if (answer.ok) show(await answer.json());
  else if (answer.status === 401 || answer.status === 403) document.getElementById("moved").textContent = "Not judged: you are signed out. Sign in in another tab, then move it again; what is set here stays.";
  else document.getElementById("moved").textContent = "The server could not judge this; reload the page.";
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(judge, 60);
}

for (const input of numbers) {
  const range = input.closest(".slider").querySelector("input[type=range]");
  range.addEventListener("input", () => { input.value = range.value; soon(); });
  input.addEventListener("input", () => { range.value = input.value; soon(); });
}
form.addEventListener("reset", () => setTimeout(judge, 0));
form.addEventListener("submit", (event) => {
  const name = document.getElementById("name");
  if (name) name.required = !event.submitter || !event.submitter.hasAttribute("formaction");
  if (name && name.required && !name.reportValidity()) event.preventDefault();
});
