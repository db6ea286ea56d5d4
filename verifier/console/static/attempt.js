"use strict";
// One clock for video, outlines and time axis: whichever is moved moves the others.

const stage = document.getElementById("stage");
const video = document.getElementById("video");
const canvas = document.getElementById("outlines");
const slider = document.getElementById("time");
const now = document.getElementById("now");
const play = document.getElementById("play");
const axis = document.getElementById("axis");
const cursor = document.getElementById("cursor");
const shown = document.getElementById("show-outlines");

let outlines = null;
let at = 0;
let running = false;
let last = 0;

function place(seconds) {
  const { duration, margin, width } = axis.dataset;
  const share = Math.min(Math.max(seconds / duration, 0), 1);
  return Number(margin) + share * (width - 2 * margin);
}

function frameAt(seconds) {
  const times = outlines.times;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= seconds + 0.02) low = middle;
    else high = middle - 1;
  }
  return outlines.frames[low] || [];
}

function draw() {
  if (!outlines) return;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!shown.checked) return;
  const points = frameAt(at);
  if (!points.length) return;
  context.lineWidth = Math.max(canvas.width, canvas.height) / 320;
  context.lineJoin = "round";
  context.strokeStyle = getComputedStyle(canvas).color;
  for (const line of outlines.lines) {
    context.beginPath();
    for (let point = line.from; point < line.to; point += 1) context.lineTo(points[2 * point], points[2 * point + 1]);
    if (line.closed) context.closePath();
    context.stroke();
  }
}

function show(seconds) {
  at = Math.min(Math.max(seconds, 0), Number(axis.dataset.duration));
  slider.value = at;
  slider.setAttribute("aria-valuetext", `${at.toFixed(2)} seconds`);
  now.textContent = `${at.toFixed(2)} s`;
  const x = place(at).toFixed(1);
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
  draw();
}

function seek(seconds) {
  show(seconds);
  if (video) video.currentTime = at;
}

function tick(moment) {
  if (!running) return;
  if (video) show(video.currentTime);
  else show(at + (moment - last) / 1000);
  last = moment;
  if (at >= Number(axis.dataset.duration) - 0.01 || (video && video.ended)) run(false);
  else requestAnimationFrame(tick);
}

function run(on) {
  running = on;
  play.textContent = on ? "Pause" : "Play";
  play.setAttribute("aria-pressed", String(on));
  if (video) {
    if (on) video.play().catch(() => run(false));
    else video.pause();
  }
  if (on) {
    if (at >= Number(axis.dataset.duration) - 0.05) seek(0);
    last = performance.now();
    requestAnimationFrame(tick);
  }
}

function watchAxis() {
  const to = (event) => {
    const { duration, margin, width } = axis.dataset;
    const box = axis.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width;
    seek(((x - margin) / (width - 2 * margin)) * duration);
  };
  axis.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    to(event);
    axis.setPointerCapture(event.pointerId);
    axis.addEventListener("pointermove", to);
  });
  const stop = () => axis.removeEventListener("pointermove", to);
  axis.addEventListener("pointerup", stop);
  axis.addEventListener("pointercancel", stop);
}

async function start() {
  watchAxis();
  slider.addEventListener("input", () => seek(Number(slider.value)));
  play.addEventListener("click", () => run(!running));
  shown.addEventListener("change", draw);
  if (video) video.addEventListener("seeked", () => { if (!running) show(video.currentTime); });
  for (const moment of document.querySelectorAll(".moment")) moment.addEventListener("click", () => seek(Number(moment.dataset.at)));
  const answer = await fetch(stage.dataset.overlay, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  outlines = await answer.json();
  canvas.width = outlines.width || 640;
  canvas.height = outlines.height || 480;
  stage.classList.toggle("upright", canvas.height > canvas.width);
  draw();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (event.key === " " && stage && !event.target.closest("button, summary, a, input")) run(!running);
  else if (event.key === "o" && shown) shown.click();
  else if (target && target.type === "radio") {
    target.checked = true;
    const next = target.value === "attack" ? document.getElementById("species") : target;
    next.focus();
    next.scrollIntoView({ block: "center" });
  } else if (target) location.assign(target.href);
  else return;
  event.preventDefault();
});

if (stage) start();
