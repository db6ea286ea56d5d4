"use strict";
// One clock for video, outlines and time axis of an attempt: whichever is moved moves the others.

class Viewer {
  constructor(root) {
    this.stage = root.querySelector(".stage");
    this.video = root.querySelector("video");
    this.canvas = root.querySelector("canvas");
    this.slider = root.querySelector(".time");
    this.now = root.querySelector(".now");
    this.button = root.querySelector(".play");
    this.axis = root.querySelector(".axis");
    this.cursor = root.querySelector(".cursor");
    this.shown = root.querySelector(".show-outlines");
    this.duration = Number(this.axis.dataset.duration);
    this.margin = Number(this.axis.dataset.margin);
    this.width = Number(this.axis.dataset.width);
    this.outlines = null;
    this.at = 0;
    this.running = false;
    this.last = 0;
    this.listen(root);
  }

  listen(root) {
    this.slider.addEventListener("input", () => seekAll(this, Number(this.slider.value)));
    this.button.addEventListener("click", () => runAll(this, !this.running));
    this.shown.addEventListener("change", () => this.draw());
    if (this.video) this.video.addEventListener("seeked", () => { if (!this.running) this.show(this.video.currentTime); });
    for (const moment of root.querySelectorAll(".moment")) {
      moment.addEventListener("click", () => seekAll(this, Number(moment.dataset.at)));
    }
    const to = (event) => {
      const box = this.axis.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.width;
      seekAll(this, ((x - this.margin) / (this.width - 2 * this.margin)) * this.duration);
    };
    this.axis.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      to(event);
      if (event.pointerType !== "mouse") return;
      this.axis.setPointerCapture(event.pointerId);
      this.axis.addEventListener("pointermove", to);
    });
    const stop = () => this.axis.removeEventListener("pointermove", to);
    this.axis.addEventListener("pointerup", stop);
    this.axis.addEventListener("pointercancel", stop);
  }

  async load() {
    const answer = await fetch(this.stage.dataset.overlay, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    this.outlines = await answer.json();
    this.canvas.width = this.outlines.width || 640;
    this.canvas.height = this.outlines.height || 480;
    this.draw();
    this.stage.dataset.ready = "yes";
  }

  points() {
    const { times, frames } = this.outlines;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= this.at + 0.02) low = middle;
      else high = middle - 1;
    }
    return frames[low] || [];
  }

  draw() {
    if (!this.outlines) return;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const points = this.shown.checked ? this.points() : [];
    if (!points.length) return;
    context.lineWidth = Math.max(this.canvas.width, this.canvas.height) / 320;
    context.lineJoin = "round";
    context.strokeStyle = getComputedStyle(this.canvas).color;
    for (const line of this.outlines.lines) {
      context.beginPath();
      for (let point = line.from; point < line.to; point += 1) context.lineTo(points[2 * point], points[2 * point + 1]);
      if (line.closed) context.closePath();
      context.stroke();
    }
  }

  show(seconds) {
    this.at = Math.min(Math.max(seconds, 0), this.duration);
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", `${this.at.toFixed(2)} seconds`);
    this.now.textContent = `${this.at.toFixed(2)} s`;
    const x = (this.margin + (this.at / this.duration) * (this.width - 2 * this.margin)).toFixed(1);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    this.draw();
  }

  seek(seconds) {
    this.show(seconds);
    if (this.video) this.video.currentTime = this.at;
  }

  run(on) {
    this.running = on;
    this.button.textContent = on ? "Pause" : "Play";
    this.button.setAttribute("aria-pressed", String(on));
    if (on && this.at >= this.duration - 0.05) this.seek(0);
    if (this.video) {
      if (on) this.video.play().catch(() => this.run(false));
      else this.video.pause();
    }
    if (!on) return;
    this.last = performance.now();
    requestAnimationFrame((moment) => this.tick(moment));
  }

  tick(moment) {
    if (!this.running) return;
    this.show(this.video ? this.video.currentTime : this.at + (moment - this.last) / 1000);
    this.last = moment;
    if (this.at >= this.duration - 0.01 || (this.video && this.video.ended)) this.run(false);
    else requestAnimationFrame((next) => this.tick(next));
  }
}

const viewers = [...document.querySelectorAll("[data-viewer]")].filter((root) => root.querySelector(".axis")).map((root) => new Viewer(root));
const together = document.getElementById("together");

function affected(viewer) {
  return together && together.checked ? viewers : [viewer];
}

function seekAll(viewer, seconds) {
  for (const each of affected(viewer)) each.seek(seconds);
}

function runAll(viewer, on) {
  for (const each of affected(viewer)) each.run(on);
}

document.addEventListener("keydown", (event) => {
  const writing = "input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea";
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(writing)) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const [first] = viewers;
  if (event.key === " " && first && !event.target.closest("button, summary, a, input")) runAll(first, !first.running);
  else if (event.key === "o" && first) for (const each of viewers) each.shown.click();
  else if (target && target.type === "radio") {
    target.checked = true;
    const next = target.value === "attack" ? document.getElementById("species") : target;
    next.focus();
    next.scrollIntoView({ block: "center" });
  } else if (target) location.assign(target.href);
  else return;
  event.preventDefault();
});

for (const each of viewers) each.load();
