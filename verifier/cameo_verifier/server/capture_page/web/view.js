// What a person sees: one screen at a time, built from elements only (no HTML is parsed).

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  camera: "M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Zm8 2.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z",
  words: "M4 5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-8l-5 4v-4H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1Zm4 4.5h8M8 13h5",
  turn: "M12 4a6 6 0 0 1 6 6c0 4-3 8-6 8s-6-4-6-8a6 6 0 0 1 6-6ZM3 20l-1.500-2M3 20l2.500.3M21 20l1.500-2M21 20l-2.500.3",
  good: "m6 12.500 4 4 8.500-9",
  again: "M19 12a7 7 0 1 1-2.200-5.100M17 3v4.200h-4.200",
  wait: "M12 6.500V12l3.500 2.500M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Z",
  no: "M12 6.500v7M12 17.300v.2",
  arrow: "M20 12H5m6.500-6.500L5 12l6.500 6.500",
};
const ARROWS = { TURN_LEFT: 0, TURN_UP: 90, TURN_RIGHT: 180, TURN_DOWN: 270 };

/** An element with properties, listeners (`on…`) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

export function icon(name, degrees = 0) {
  const drawing = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("class", `icon ${name}`);
  if (degrees) path.setAttribute("transform", `rotate(${degrees} 12 12)`);
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

/** The first screen: what is going to happen, what is kept and why, and the button that begins. */
export function intro(words, { consent, digest, needs, begin }) {
  const said = words.intro;
  return make("section", { className: "sheet intro" },
    make("h1", { tabIndex: -1 }, said.title),
    make("p", { className: "lead" }, said.lead),
    make("ol", { className: "steps" }, ...["camera", "words", "turn"].map((name) => make("li", {}, icon(name), make("span", {}, said[name])))),
    needs ? question(words.needs, needs) : null,
    make("section", { className: "consent", "aria-labelledby": "consent" },
      make("h2", { id: "consent" }, said.consentTitle),
      ...consent.split("\n\n").map((paragraph) => make("p", {}, paragraph)),
      make("details", {}, make("summary", {}, said.digest), make("code", {}, digest))),
    make("button", { className: "main", onclick: begin }, said.begin),
    make("p", { className: "soft" }, said.agree));
}

/** What the person cannot do: ticks go to `needs`. */
function question(said, needs) {
  const tick = (name) => make("label", {},
    make("input", { type: "checkbox", checked: needs.has(name), onchange: (event) => { needs[event.target.checked ? "add" : "delete"](name); } }),
    make("span", {}, said[name]));
  return make("fieldset", { className: "needs" },
    make("legend", {}, said.title), ...["NEED_NO_SPEECH", "NEED_NO_TURNS", "NEED_NO_LIGHT"].map(tick));
}

/** A screen with one icon, one sentence or two, and at most one way to go on. */
export function notice(words, { kind, title, text, lang, action, act, digest }) {
  return make("section", { className: `sheet notice ${kind}` },
    make("div", { className: "seal" }, icon({ good: "good", retry: "again", wait: "wait" }[kind] ?? "no")),
    make("h1", { tabIndex: -1 }, title),
    make("p", { className: "lead", lang: lang || undefined }, text),
    action ? make("button", { className: "main", onclick: act }, action) : null,
    digest ? make("p", { className: "soft" }, digest) : null);
}

/** A quiet screen while somebody waits. */
export function waiting(title, text) {
  return make("section", { className: "sheet notice busy" },
    make("div", { className: "seal" }, make("div", { className: "ring" })),
    make("h1", { tabIndex: -1 }, title),
    make("p", { className: "lead" }, text));
}

/** The stage: what to do in large letters, the mirrored picture with an oval, and how far one is. */
export class Stage {
  constructor(words, { stream, choose, cancel }) {
    this.words = words;
    this.video = make("video", { muted: true, playsInline: true, autoplay: true, "aria-hidden": "true", tabIndex: -1 });
    this.video.srcObject = stream;
    this.label = make("p", { className: "label" });
    this.big = make("p", { className: "big" });
    this.small = make("p", { className: "small" });
    this.card = make("div", { className: "card", role: "status", "aria-live": "assertive", "aria-atomic": "true" }, this.label, this.big, this.small);
    this.frame = make("div", { className: "frame" }, this.video, oval());
    this.segments = make("div", { className: "segments" });
    this.progress = make("div", { className: "progress", role: "progressbar", "aria-label": words.stage.progress, "aria-valuemin": "0" }, this.segments);
    this.choices = make("div", { className: "choices" });
    this.leave = make("button", { className: "quiet", onclick: cancel }, words.stage.cancel);
    this.choose = choose;
    this.root = make("section", { className: "stage" },
      make("h1", { className: "unseen", tabIndex: -1 }, words.stage.name), this.card, make("div", { className: "middle" }, this.frame), make("div", { className: "foot" }, this.progress, this.choices, this.leave));
  }

  /** Offer other cameras and microphones, where there are any. */
  offer(devices, used) {
    const pick = (kind, label) => {
      const found = devices.filter((device) => device.kind === kind && device.deviceId);
      if (found.length < 2) return null;
      const list = make("select", { onchange: () => this.choose(kind, list.value) },
        ...found.map((device, number) => make("option", { value: device.deviceId, selected: device.deviceId === used[kind] }, device.label || `${label} ${number + 1}`)));
      return make("label", {}, make("span", {}, label), list);
    };
    this.choices.replaceChildren(
      ...[pick("videoinput", this.words.stage.camera), pick("audioinput", this.words.stage.microphone)].filter(Boolean));
  }

  /** One sentence in large letters; `ready` says that all is right. */
  tell(text, { small = "", ready = false } = {}) {
    this.root.classList.toggle("ready", ready);
    this.#set("", [text], small);
  }

  /** One thing to do. */
  prompt(step, number, of) {
    const { steps } = this.words;
    this.root.classList.add("live", "ready");
    this.choices.replaceChildren();
    this.advance(number, of);
    if (step.say !== undefined) this.#set(steps.say, [make("span", { dir: "auto", lang: step.lang ?? "" }, step.say)], "");
    else if (step.turn !== undefined) {
      // The arrow stands on the side it points to, in the mirror as in every reading order.
      const row = [icon("arrow", ARROWS[step.turn] ?? 0), make("span", { dir: "auto" }, steps[step.turn])];
      this.#set(steps.turn, step.turn === "TURN_RIGHT" ? row.reverse() : row, steps.back);
    } else {
      // Of a newer server there may be steps that these texts do not know.
      const [[kind, value]] = Object.entries(step);
      this.#set(steps[kind] ?? "", [make("span", {}, steps[value] ?? steps.other)], "");
    }
  }

  /** How many of the prompts are done. */
  advance(done, of) {
    if (this.segments.childElementCount !== of) this.segments.replaceChildren(...Array.from({ length: of }, () => make("i")));
    [...this.segments.children].forEach((segment, number) => {
      segment.className = number < done ? "done" : number === done && this.root.classList.contains("live") ? "now" : "";
    });
    this.progress.setAttribute("aria-valuemax", of);
    this.progress.setAttribute("aria-valuenow", done);
    this.progress.setAttribute("aria-valuetext", this.words.stage.of.replace("{done}", done).replace("{of}", of));
  }

  #set(label, big, small) {
    this.label.textContent = label;
    this.big.replaceChildren(...big);
    this.small.textContent = small;
  }
}

function oval() {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 300 400");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  const veil = document.createElementNS(SVG, "path");
  veil.setAttribute("class", "veil");
  veil.setAttribute("d", "M0 0H300V400H0ZM150 58A104 138 0 0 0 150 334 104 138 0 0 0 150 58Z");
  const line = document.createElementNS(SVG, "ellipse");
  for (const [name, value] of Object.entries({ class: "line", cx: 150, cy: 196, rx: 104, ry: 138 })) line.setAttribute(name, value);
  drawing.append(veil, line);
  return drawing;
}
