"use strict";
// Frames that a check looked at, cut out of the recording that the page plays: once the face is shown, and as far as they are in view.

class Stills {
  constructor(root, source) {
    this.root = root;
    this.waiting = [];
    this.busy = true;
    this.video = null;
    const inView = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        inView.unobserve(entry.target);
        this.waiting.push(entry.target);
      }
      if (this.waiting.length && !this.video) this.open(source);
      this.next();
    });
    for (const frame of root.querySelectorAll(".frame")) inView.observe(frame);
  }

  // A video of its own, so that the stage stays where it is; none before the first frame comes into view.
  open(source) {
    this.video = document.createElement("video");
    this.video.muted = true;
    this.video.preload = "auto";
    this.video.addEventListener("loadeddata", () => { this.busy = false; this.next(); }, { once: true });
    this.video.addEventListener("seeked", () => this.draw());
    this.video.addEventListener("error", () => this.fail());
    this.video.src = source;
  }

  fail() {
    for (const note of this.root.querySelectorAll(".frames-note")) {
      note.textContent = "This browser does not play the recording, so the frames cannot be shown.";
      note.classList.remove("unseen");
    }
  }

  next() {
    if (this.busy || !this.waiting.length) return;
    this.busy = true;
    this.frame = this.waiting.shift();
    this.video.currentTime = Number(this.frame.dataset.at) + 0.0005;
  }

  draw() {
    const scale = this.video.videoWidth / Number(this.frame.closest(".pictures").dataset.across);
    const [x, y, width, height] = this.frame.dataset.box.split(" ").map((value) => Number(value) * scale);
    const [canvas, detail] = this.frame.querySelectorAll("canvas");
    const side = detail ? 640 : 256;
    const shrunk = Math.min(1, side / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * shrunk));
    canvas.height = Math.max(1, Math.round(height * shrunk));
    const context = canvas.getContext("2d", { willReadFrequently: Boolean(detail) });
    context.drawImage(this.video, x, y, width, height, 0, 0, canvas.width, canvas.height);
    if (detail) withoutLight(context, canvas, detail);
    const colour = this.frame.classList.contains("against") ? "#ff5a4d" : "#ffd166";
    if (this.frame.dataset.quad) outline(context, colour, this.frame.dataset.quad.split(" ").map((value) => Number(value) * scale * shrunk));
    this.frame.classList.add("drawn");
    this.busy = false;
    this.next();
  }
}

function outline(context, colour, corners) {
  context.lineWidth = Math.max(2, context.canvas.width / 90);
  context.strokeStyle = colour;
  context.beginPath();
  for (let corner = 0; corner < corners.length; corner += 2) context.lineTo(corners[corner], corners[corner + 1]);
  context.stroke();
}

// What is finer than a few pixels, over how much of it there is around: the search for a grid looks at the same.
function withoutLight(context, canvas, detail) {
  const { width, height } = canvas;
  const { data } = context.getImageData(0, 0, width, height);
  const luma = Float32Array.from({ length: width * height }, (_, at) => 0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2]);
  const smooth = mean(mean(luma, width, height, 2), width, height, 2);
  const fine = luma.map((value, at) => value - smooth[at]);
  const usual = mean(fine.map((value) => value * value), width, height, 7);
  detail.width = width;
  detail.height = height;
  const shown = detail.getContext("2d").createImageData(width, height);
  for (let at = 0; at < fine.length; at += 1) {
    const level = 128 + (48 * fine[at]) / (Math.sqrt(Math.max(usual[at], 0)) + 0.7);
    shown.data.set([level, level, level, 255], 4 * at);
  }
  detail.getContext("2d").putImageData(shown, 0, 0);
}

function mean(values, width, height, reach) {
  const across = new Float32Array(values.length);
  const both = new Float32Array(values.length);
  const pass = (from, to, steps, stride, lines, jump) => {
    for (let line = 0; line < lines; line += 1) {
      const start = line * jump;
      const at = (step) => from[start + Math.min(Math.max(step, 0), steps - 1) * stride];
      let sum = 0;
      for (let step = -reach; step <= reach; step += 1) sum += at(step);
      for (let step = 0; step < steps; step += 1) {
        to[start + step * stride] = sum / (2 * reach + 1);
        sum += at(step + reach + 1) - at(step - reach);
      }
    }
  };
  pass(values, across, width, 1, height, width);
  pass(across, both, height, width, width, 1);
  return both;
}
