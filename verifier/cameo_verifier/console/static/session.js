"use strict";
// Pages that stay open while somebody signs in again in another tab take the form token of the new session.

const session = new BroadcastChannel("cameo-session");

async function renew() {
  const answer = await fetch("/sign-in/state", { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const now = await answer.json();
  document.body.dataset.csrf = now.csrf;
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = now.csrf;
  const told = document.getElementById("signed-in");
  if (told && now.name) told.textContent = `You are signed in as ${now.name}.`;
}

session.addEventListener("message", renew);
// Whichever page is opened next: the others ask whether their token still holds.
session.postMessage("opened");
