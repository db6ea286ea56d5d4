"use strict";
// The stage can be looked at closer: by keys and buttons about the face, by a wheel with Ctrl or a double click about the pointer.

class Zoom {
  constructor(root, face, changed) {
    this.stage = root.querySelector(".stage");
    this.layers = this.stage.querySelector(".layers");
    this.said = root.querySelector(".zoom-now");
    this.face = face;
    this.changed = changed;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    root.querySelector(".zoom-in").addEventListener("click", () => this.by(1.5));
    root.querySelector(".zoom-out").addEventListener("click", () => this.by(1 / 1.5));
    this.said.addEventListener("click", () => this.whole());
    this.stage.addEventListener("dblclick", (event) => this.about(this.scale > 1 ? 1 : 3, this.point(event)));
    this.stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.about(this.scale * Math.exp(-event.deltaY / 200), this.point(event));
    }, { passive: false });
    this.drag();
  }

  drag() {
    const move = (event) => this.to(this.scale, this.x + event.movementX, this.y + event.movementY);
    const stop = () => this.stage.removeEventListener("pointermove", move);
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.scale === 1) return;
      this.stage.setPointerCapture(event.pointerId);
      this.stage.addEventListener("pointermove", move);
    });
    this.stage.addEventListener("pointerup", stop);
    this.stage.addEventListener("pointercancel", stop);
  }

  point(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  by(factor) {
    this.about(this.scale * factor, this.face() || [this.stage.clientWidth / 2, this.stage.clientHeight / 2]);
  }

  whole() {
    this.to(1, 0, 0);
  }

  about(scale, [x, y]) {
    const next = Math.min(Math.max(scale, 1), 12);
    this.to(next, x - ((x - this.x) * next) / this.scale, y - ((y - this.y) * next) / this.scale);
  }

  to(scale, x, y) {
    this.scale = scale < 1.01 ? 1 : scale;
    this.x = Math.min(0, Math.max(x, this.stage.clientWidth * (1 - this.scale)));
    this.y = Math.min(0, Math.max(y, this.stage.clientHeight * (1 - this.scale)));
    this.layers.style.transform = this.scale === 1 ? "" : `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.stage.classList.toggle("closer", this.scale > 1);
    this.said.textContent = `${this.scale.toFixed(1)}×`;
    this.changed();
  }
}
