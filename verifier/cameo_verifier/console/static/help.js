"use strict";
// The help with all keys: a question mark opens it, and so does its button.

const keysHelp = document.getElementById("keys");

function openHelp() {
  if (!keysHelp.open) keysHelp.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea")) return;
  if (event.key === "?") {
    openHelp();
    event.preventDefault();
  }
});
keysHelp.addEventListener("keydown", (event) => event.stopPropagation());
document.getElementById("keys-open").addEventListener("click", openHelp);
