"use strict";
// What becomes of a preview: that it is being made, that it ends early, or why there is none.

for (const told of document.querySelectorAll("[data-preview]")) {
  const video = told.closest("[data-viewer]").querySelector("video");
  const say = (text) => { told.textContent = text; };
  if (video.readyState < 2 && !video.error) say("The preview is being made; that takes some seconds.");
  video.addEventListener("loadeddata", () => {
    const missing = Number(told.dataset.preview) - video.duration;
    say(missing > 0.5 ? `The preview ends at ${video.duration.toFixed(1)} s: what comes after it cannot be read.` : "");
  });
  const failed = async () => {
    const answer = await fetch(video.currentSrc, { headers: { Accept: "application/json" } });
    say(answer.ok ? "The browser does not play the preview." : (await answer.json()).error);
  };
  video.addEventListener("error", failed);
  if (video.error) failed();
  if (video.readyState >= 2) say("");
}
