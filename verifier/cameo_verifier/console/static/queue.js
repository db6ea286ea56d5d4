"use strict";
// Keys in the queue: j and k move, enter opens, b, a and u label, z takes the last label back.

const rows = [...document.querySelectorAll("#queue tbody tr")];
const status = document.getElementById("said");
const given = [];
let at = -1;

function select(index) {
  if (!rows.length) return;
  if (at >= 0) rows[at].removeAttribute("aria-selected");
  at = Math.max(0, Math.min(index, rows.length - 1));
  rows[at].setAttribute("aria-selected", "true");
  const link = rows[at].querySelector("a");
  link.focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

async function send(id, what, fields) {
  const answer = await fetch(`/attempts/${encodeURIComponent(id)}/${what}`, {
    method: "POST",
    headers: { "X-CSRF-Token": document.body.dataset.csrf, "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: new URLSearchParams(fields),
  });
  if (answer.ok) return answer.json();
  status.textContent = answer.status === 401 || answer.status === 403 ? "Nothing was kept: you are signed out. Sign in in another tab, then press it again." : "Nothing was kept.";
  return null;
}

async function label(truth) {
  if (at < 0) return;
  const row = rows[at];
  const kept = await send(row.dataset.id, "label", { truth });
  if (!kept) return;
  const cell = row.querySelector(".label");
  given.push({ row, number: kept.number, before: [...cell.childNodes] });
  const mark = document.createElement("span");
  mark.className = `truth ${truth}`;
  mark.textContent = truth.replace("_", " ");
  cell.replaceChildren(mark);
  status.textContent = `Labelled ${mark.textContent}.`;
}

async function undo() {
  const last = given.at(-1);
  if (!last || !(await send(last.row.dataset.id, "unlabel", { number: last.number }))) return;
  given.pop();
  last.row.querySelector(".label").replaceChildren(...last.before);
  select(rows.indexOf(last.row));
  status.textContent = "The last label was taken back.";
}

rows.forEach((row, index) => {
  row.addEventListener("focusin", () => { if (at !== index) select(index); });
  if (row.contains(document.activeElement)) select(index);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "j") select(at + 1);
  else if (event.key === "k") select(at - 1);
  else if (event.key === "Enter" && at >= 0 && event.target === document.body) location.assign(rows[at].querySelector("a").href);
  else if (event.key === "b") label("bona_fide");
  else if (event.key === "u") label("unsure");
  else if (event.key === "z") undo();
  else if (event.key === "a" && at >= 0) location.assign(`${rows[at].querySelector("a").href}#label`);
  else return;
  event.preventDefault();
});
