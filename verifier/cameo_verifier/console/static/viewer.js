"use strict";
// One clock for video, outlines and time axis of an attempt: whichever is moved moves the others.

class Viewer {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector(".stage");
    this.video = root.querySelector("video");
    this.canvas = this.stage.querySelector("canvas");
    this.slider = root.querySelector(".time");
    this.now = root.querySelector(".now");
    this.button = root.querySelector(".play");
    this.pace = root.querySelector(".speed");
    this.axes = [...root.querySelectorAll(".axis")];
    this.shown = root.querySelector(".show-outlines");
    const [axis] = this.axes;
    this.duration = Number(axis.dataset.duration);
    this.margin = Number(axis.dataset.margin);
    this.width = Number(axis.dataset.width);
    this.outlines = null;
    this.at = 0;
    this.running = false;
    this.last = 0;
    this.zoom = new Zoom(root, () => this.face(), () => this.draw());
    this.listen(root);
    if (this.video) new Stills(root, this.video.src);
  }

  listen(root) {
    this.slider.addEventListener("input", () => seekAll(this, Number(this.slider.value)));
    this.button.addEventListener("click", () => runAll(this, !this.running));
    this.shown.addEventListener("change", () => this.draw());
    this.pace.addEventListener("change", () => paceAll(this, this.pace.value));
    root.querySelector(".before").addEventListener("click", () => stepAll(this, -1));
    root.querySelector(".after").addEventListener("click", () => stepAll(this, 1));
    if (this.video) this.video.addEventListener("seeked", () => { if (!this.running) this.show(this.video.currentTime); });
    for (const moment of root.querySelectorAll("[data-at]")) {
      moment.addEventListener("click", () => {
        seekAll(this, Number(moment.dataset.at));
        if (moment.dataset.place) this.light(moment.dataset.place);
      });
    }
    for (const link of root.querySelectorAll("a[data-place]")) {
      link.addEventListener("click", (event) => { if (this.light(link.dataset.place)) event.preventDefault(); });
    }
    for (const axis of this.axes) this.follow(axis);
  }

  follow(axis) {
    const to = (event) => {
      const box = axis.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.width;
      seekAll(this, ((x - this.margin) / (this.width - 2 * this.margin)) * this.duration);
    };
    axis.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      to(event);
      if (event.pointerType !== "mouse") return;
      axis.setPointerCapture(event.pointerId);
      axis.addEventListener("pointermove", to);
    });
    const stop = () => axis.removeEventListener("pointermove", to);
    axis.addEventListener("pointerup", stop);
    axis.addEventListener("pointercancel", stop);
  }

  // Brings a lane or a picture into view, and marks it; whether there is one.
  light(place) {
    const found = this.root.querySelector(`.row[data-place="${CSS.escape(place)}"], .picture[data-place="${CSS.escape(place)}"]`);
    if (!found) return false;
    for (const each of this.root.querySelectorAll(".lit")) each.classList.remove("lit");
    const folded = found.closest("details");
    if (folded) folded.open = true;
    found.classList.add("lit");
    found.scrollIntoView({ block: "nearest" });
    return true;
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

  // The last analysed frame at a time or before it.
  row(seconds) {
    const { times } = this.outlines;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  points() {
    return this.outlines.frames[this.row(this.at + 0.02)] || [];
  }

  // Where the face is on the stage; null where there is none.
  face() {
    const points = this.outlines ? this.points() : [];
    if (!points.length) return null;
    const middle = (from) => {
      const values = points.filter((_, at) => at % 2 === from);
      return (Math.min(...values) + Math.max(...values)) / 2;
    };
    const stage = this.stage.getBoundingClientRect();
    const box = this.canvas.getBoundingClientRect();
    return [
      box.left - stage.left + (middle(0) / this.canvas.width) * box.width,
      box.top - stage.top + (middle(1) / this.canvas.height) * box.height,
    ];
  }

  draw() {
    if (!this.outlines) return;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const points = this.shown.checked ? this.points() : [];
    if (!points.length) return;
    context.lineWidth = Math.max(this.canvas.width, this.canvas.height) / 320 / Math.sqrt(this.zoom.scale);
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
    for (const cursor of this.root.querySelectorAll(".cursor")) {
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
    }
    this.draw();
  }

  seek(seconds) {
    this.show(seconds);
    if (this.video) this.video.currentTime = this.at;
  }

  step(by) {
    if (!this.outlines || !this.outlines.times.length) return;
    if (this.running) this.run(false);
    const { times } = this.outlines;
    const here = this.row(this.at + 0.001);
    const next = by < 0 && times[here] < this.at - 0.002 ? here : here + by;
    // Just after its time, so that no browser shows the frame before.
    this.seek(times[Math.min(Math.max(next, 0), times.length - 1)] + 0.0005);
  }

  setPace(rate) {
    this.pace.value = rate;
    if (this.video) this.video.playbackRate = Number(rate);
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
    this.show(this.video ? this.video.currentTime : this.at + (Number(this.pace.value) * (moment - this.last)) / 1000);
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

function paceAll(viewer, rate) {
  for (const each of affected(viewer)) each.setPace(rate);
}

// One analysed frame of the one that is stepped; the others go to the same moment.
function stepAll(viewer, by) {
  viewer.step(by);
  for (const each of affected(viewer)) if (each !== viewer) each.seek(viewer.at);
}

function faster(viewer, by) {
  const { options, selectedIndex } = viewer.pace;
  paceAll(viewer, options[Math.min(Math.max(selectedIndex + by, 0), options.length - 1)].value);
}

function zoomAll(viewer, factor) {
  for (const each of affected(viewer)) {
    if (factor) each.zoom.by(factor);
    else each.zoom.whole();
  }
}

// What a key does to the viewer; whether it did.
function pressed(key, viewer, target) {
  switch (key) {
    case " ":
      if (target.closest("button, summary, a, input")) return false;
      runAll(viewer, !viewer.running);
      return true;
    case "o":
      for (const each of viewers) each.shown.click();
      return true;
    case "ArrowLeft":
    case "ArrowRight":
      if (target.closest("input, [role=region], .checks")) return false;
      stepAll(viewer, key === "ArrowRight" ? 1 : -1);
      return true;
    case ",":
    case ".":
      stepAll(viewer, key === "." ? 1 : -1);
      return true;
    case "<":
    case ">":
      faster(viewer, key === ">" ? 1 : -1);
      return true;
    case "+":
    case "-":
      zoomAll(viewer, key === "+" ? 1.5 : 1 / 1.5);
      return true;
    case "0":
      zoomAll(viewer, 0);
      return true;
    default:
      return false;
  }
}

document.addEventListener("keydown", (event) => {
  const writing = "input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea";
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(writing)) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const viewer = viewers.find((each) => each.root.contains(event.target)) || viewers[0];
  if (viewer && pressed(event.key, viewer, event.target)) event.preventDefault();
  else if (target && target.type === "radio") {
    target.checked = true;
    const next = target.value === "attack" ? document.getElementById("species") : target;
    next.focus();
    next.scrollIntoView({ block: "center" });
    event.preventDefault();
  } else if (target) {
    location.assign(target.href);
    event.preventDefault();
  }
});

for (const each of viewers) each.load();
