"use strict";
// What an attempt is linked to takes a while to look up, so its page asks for it when it is there.

const place = document.querySelector("[data-links]");

if (place) {
  const request = new XMLHttpRequest();
  request.open("GET", place.dataset.links);
  request.setRequestHeader("Accept", "text/html");
  request.responseType = "document";
  request.addEventListener("load", () => {
    const found = request.status === 200 && request.response ? request.response.getElementById("links-found") : null;
    if (found) place.replaceChildren(document.adoptNode(found));
    place.setAttribute("aria-busy", "false");
  });
  request.addEventListener("error", () => place.setAttribute("aria-busy", "false"));
  place.setAttribute("aria-busy", "true");
  request.send();
}
