// <cameo-capture>: a person answers a live session on camera. See cameo-capture.d.ts for attributes and events.
import * as camera from "./camera.js";
import { Lights } from "./lights.js";
import { Recording } from "./recorder.js";
import { Sealer } from "./sealer.js";
import { Stream } from "./stream.js";
import { Stage, intro, make, notice, waiting } from "./view.js";
import { loadWords } from "./words.js";

const RESUME_MS = 5_000;
const RETRY_MS = 500;
/** A defect that the person cannot mend by moving: after this long it is said in words of its own. */
const STANDING_MS = 10_000;
const STANDING = { GUIDANCE_CODE_SILENT_MICROPHONE: "silentMicrophone", GUIDANCE_CODE_TOO_FEW_PICTURES: "slowCamera" };
const TROUBLES = {
  SESSION_EXPIRED: "expired", SESSION_USED: "used", SESSION_IN_USE: "inUseElsewhere", SESSION_UNKNOWN: "badLink",
  CALLER_TOKEN_MISSING: "badLink", CALLER_TOKEN_REFUSED: "expired", CALLER_NOT_ALLOWED: "badLink",
  UPLOAD_TOO_SLOW: "tooSlow", CALLER_TOO_SLOW: "tooSlow", PREPARATION_TOO_LONG: "tooLong",
  OVERLOADED: "overloaded", WORKERS_UNAVAILABLE: "overloaded", SERVER_STOPPING: "overloaded", STORE_UNAVAILABLE: "overloaded",
  TOO_MANY_ATTEMPTS: "tooMany", UNSUPPORTED_MEDIA: "noCodec", PATH_UNAVAILABLE: "noPath",
};
/** Nothing was spent: the same session can be tried again. */
const AGAIN = new Set([
  "noCamera", "noMicrophone", "refused", "inUse", "silentMicrophone", "slowCamera", "offline", "unreachable", "overloaded", "tooLong",
  "inUseElsewhere",
]);
/** This browser cannot, whatever is pressed. */
const SHUT = new Set(["webView", "oldBrowser", "noCodec", "insecure"]);
const VERDICTS = { VERDICT_ACCEPTED: "accepted", VERDICT_REVIEW: "review", VERDICT_RETRY: "retry", VERDICT_REJECTED: "rejected" };

export class CameoCapture extends HTMLElement {
  static observedAttributes = ["token", "lang"];

  #root = this.attachShadow({ mode: "open" });
  #screen = make("div", { className: "screen" });
  #words = null;
  #turn = 0;
  #state = "";
  #run = null;
  /** What the person says they cannot do, names of `cameo.v1.Need`. */
  #needs = new Set();

  constructor() {
    super();
    const style = make("link", { rel: "stylesheet", href: new URL("cameo-capture.css", import.meta.url).href });
    this.#root.append(style, this.#screen);
  }

  /** The session's capture token. */
  get token() { return this.getAttribute("token") ?? ""; }
  set token(value) { this.setAttribute("token", value); }

  /** URL of the stream; by default that beside this file. */
  get stream() {
    const url = new URL(this.getAttribute("stream") || new URL("stream", import.meta.url), location.href);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  }

  /** The text a person consents to; that of the language's data file where none is given. */
  get consent() { return this.getAttribute("consent") || (this.#words?.consent ?? ""); }
  set consent(value) { this.setAttribute("consent", value); }

  get state() { return this.#state; }

  connectedCallback() { this.#begin(); }

  disconnectedCallback() { this.#end(); }

  attributeChangedCallback(name, before, after) {
    // A change of language or token shows from the first screen on; during a capture it would tear it.
    if (this.isConnected && before !== after && !this.#run) this.#begin();
  }

  async #begin() {
    // The last one counts, whichever texts come last.
    const turn = ++this.#turn;
    const words = await loadWords(this.lang || document.documentElement.lang || navigator.language);
    if (this.#run || !this.isConnected || turn !== this.#turn) return;
    this.#words = words;
    if (!this.hasAttribute("token")) return;
    if (!this.token) { this.#trouble(new camera.Trouble("badLink")); return; }
    try {
      camera.requireBrowser();
    } catch (error) {
      this.#trouble(error);
      return;
    }
    const digest = await sha256(this.consent);
    if (this.#run || turn !== this.#turn) return;
    this.#show("intro", intro(words, {
      consent: this.consent, digest, needs: asksNeeds(this.token) ? this.#needs : null, begin: () => this.start(),
    }));
  }

  /** Begin, as the button does. */
  async start() {
    if (this.#run) return;
    const run = { stream: null, media: null, recording: null, stage: null, prompts: 0, phase: "preparing", droppedAt: 0, standing: null };
    this.#run = run;
    this.#tell("cameo-consent", { sha256: await sha256(this.consent), language: this.#words.tag });
    this.#show("permission", waiting(this.#words.permission.title, this.#words.permission.text));
    try {
      camera.requireBrowser();
      run.mimeType = camera.mimeType();
      const media = await camera.open();
      if (this.#run !== run) { camera.close(media); return; }
      run.media = media;
      await this.#onStage(run);
      run.hz = await refreshRate();
      if (this.#run === run) this.#connect(run);
    } catch (error) {
      if (this.#run === run) this.#trouble(error);
    }
  }

  /** Leave it; the session can be used again as long as no prompt was shown. */
  cancel() {
    this.#end();
    this.#begin();
  }

  async #onStage(run) {
    const stage = new Stage(this.#words, {
      stream: run.media, choose: (kind, id) => this.#choose(run, kind, id), cancel: () => this.cancel(),
    });
    run.stage = stage;
    run.lights = new Lights(stage.root);
    stage.tell(this.#words.stage.connecting);
    this.#show("preparing", stage.root);
    stage.video.play().catch(() => {});
    for (const track of run.media.getTracks()) {
      track.addEventListener("ended", () => { if (this.#run === run) this.#trouble(new camera.Trouble("inUse")); });
    }
    const used = Object.fromEntries(run.media.getTracks().map((track) => [`${track.kind}input`, track.getSettings().deviceId]));
    stage.offer(await camera.devices(), used);
  }

  async #choose(run, kind, id) {
    run.chosen = { ...run.chosen, [kind === "videoinput" ? "cameraId" : "microphoneId"]: id };
    const before = run.media;
    this.#quiet(run);
    try {
      run.media = await camera.open(run.chosen);
      camera.close(before);
      await this.#onStage(run);
      this.#connect(run);
    } catch (error) {
      if (this.#run === run) this.#trouble(error);
    }
  }

  async #connect(run) {
    // A connection that is made again is another capture, and has another key.
    const before = run.stream;
    const sealer = await Sealer.make();
    if (this.#run !== run || run.stream !== before) return;
    run.stream = new Stream(this.stream, this.token, hello(run, this.#needs), sealer, {
      message: (name, value) => this.#hear(run, name, value),
      error: (error) => this.#refused(run, error),
      dropped: () => this.#dropped(run),
      slow: () => this.#trouble(new camera.Trouble("tooSlow")),
    });
  }

  #record(run) {
    run.recording = new Recording(run.media, run.mimeType, (bytes) => run.stream.sendMedia(bytes));
  }

  #hear(run, name, value) {
    if (this.#run !== run) return;
    this.#tell(`cameo-${name}`, value);
    const said = this.#words.stage;
    switch (name) {
      case "welcome":
        run.droppedAt = 0;
        run.prompts = value.prompts ?? 0;
        run.language = value.language ?? "";
        run.stage.advance(0, run.prompts);
        run.stage.tell(said.look, { small: value.light ? said.colours : "" });
        this.#record(run);
        break;
      case "guidance":
        this.#guide(run, value.codes ?? []);
        break;
      case "start":
        this.#guide(run, []);
        run.phase = "prompting";
        run.recording.drop();
        run.stage.tell(said.begin, { ready: true });
        this.#set("prompting");
        run.stream.send({ started: { clientMs: performance.now() } });
        this.#record(run);
        break;
      case "prompt":
        run.stage.prompt({ ...value.step, ...(value.step?.say === undefined ? {} : { lang: run.language }) }, value.number ?? 0, run.prompts);
        this.#shown(run, value.number ?? 0, false);
        break;
      case "light":
        run.lights.show(value.rgb ?? 0).then((set) => { if (set) this.#shown(run, value.number ?? 0, true); });
        break;
      case "progress":
        if (run.phase === "prompting") run.stage.advance(value.done ?? 0, run.prompts);
        break;
      case "stop":
        this.#stop(run);
        break;
      case "result":
        this.#result(value);
        break;
      default: // A newer server says something that needs no answer.
    }
  }

  #guide(run, codes) {
    const [worst] = codes;
    const said = this.#words.guidance;
    run.stage.tell(worst ? said[worst] ?? said.other : said.good, { ready: !worst });
    if (run.standing?.code !== worst) {
      clearTimeout(run.standing?.timer);
      const key = STANDING[worst];
      run.standing = { code: worst, timer: key && setTimeout(() => { if (this.#run === run) this.#trouble(new camera.Trouble(key)); }, STANDING_MS) };
    }
  }

  #shown(run, number, colour) {
    // The second frame begins once the first, which has it, was handed to the display.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (this.#run !== run || !run.recording) return;
      run.stream.send({ shown: { number, colour, clientMs: performance.now(), mediaMs: run.recording.ms } });
    }));
  }

  async #stop(run) {
    run.phase = "judging";
    run.lights.off();
    await run.recording.end();
    if (this.#run !== run) return;
    run.stream.send({ bye: {} });
    camera.close(run.media);
    this.#show("judging", waiting(this.#words.judging.title, this.#words.judging.text));
  }

  #result(value) {
    const key = VERDICTS[value.verdict] ?? "rejected";
    const said = this.#words.results[key];
    const again = Boolean(value.again) && key !== "accepted";
    // The session's language is that of the answer; the person reads that of the page. A newer server may know more reasons.
    const own = value.hint && this.#words.hints[value.reasons?.[0]];
    const hint = own || value.hint || "";
    this.#end();
    this.#show("result", notice(this.#words, {
      kind: { accepted: "good", review: "wait", retry: "retry", rejected: "bad" }[key],
      title: said.title,
      text: (key === "accepted" ? "" : hint) || said.text,
      lang: hint && !own ? value.hintLanguage : "",
      action: this.hasAttribute("last") ? "" : again ? this.#words.results.again : this.#words.results.done,
      act: () => this.#tell(again ? "cameo-again" : "cameo-done", {}),
    }));
    this.#tell("cameo-result", { verdict: value.verdict, reasons: value.reasons ?? [], hint, attemptId: value.attemptId ?? "", again });
  }

  #refused(run, { reason, retryAfterS }) {
    if (this.#run !== run) return;
    // The server may not have noticed yet that the connection before this one broke.
    if (reason === "SESSION_IN_USE" && run.droppedAt) { this.#dropped(run); return; }
    this.#trouble(new camera.Trouble(TROUBLES[reason] ?? "failed", { retryAfterS }), reason);
  }

  #dropped(run) {
    if (this.#run !== run) return;
    this.#quiet(run);
    if (run.phase !== "preparing") { this.#trouble(new camera.Trouble(run.phase === "judging" ? "lostAfter" : "lost")); return; }
    const now = performance.now();
    run.droppedAt ||= now;
    if (now - run.droppedAt > RESUME_MS) {
      this.#trouble(new camera.Trouble(navigator.onLine === false ? "offline" : "unreachable"));
      return;
    }
    run.stage.tell(this.#words.stage.resuming);
    setTimeout(() => { if (this.#run === run) this.#connect(run); }, RETRY_MS);
  }

  #trouble(error, reason = "") {
    const key = error.key ?? "failed";
    const said = this.#words.troubles[key];
    const again = AGAIN.has(key);
    this.#end();
    // Nothing is spent: the person can choose otherwise.
    const choose = key === "noPath" && this.#needs.size > 0;
    const act = choose ? () => this.#begin() : again ? () => this.start() : () => this.#tell("cameo-again", {});
    const shut = SHUT.has(key) || (!again && !choose && this.hasAttribute("last"));
    const seconds = error.retryAfterS ? ` ${this.#words.troubles.seconds.replace("{n}", Math.ceil(error.retryAfterS))}` : "";
    this.#show("trouble", notice(this.#words, {
      kind: "bad", title: said.title, text: said.text + seconds,
      action: shut ? "" : choose ? this.#words.needs.again : said.action ?? (again ? this.#words.troubles.again : this.#words.troubles.back), act,
    }));
    this.#tell("cameo-trouble", { trouble: key, reason, again });
    if (!error.key) console.error(error);
  }

  #quiet(run) {
    clearTimeout(run.standing?.timer);
    run.standing = null;
    run.stream?.close();
    run.recording?.drop();
    run.recording = null;
  }

  #end() {
    const run = this.#run;
    if (!run) return;
    this.#run = null;
    this.#quiet(run);
    run.lights?.off();
    camera.close(run.media);
  }

  #show(state, screen) {
    const first = state === "intro" && ["", "intro"].includes(this.#state);
    this.#screen.lang = this.#words.tag;
    this.#screen.replaceChildren(screen);
    this.#set(state);
    // A screen reader begins at the new screen's heading; the first screen is the page's own, and takes no focus.
    if (!first) (screen.querySelector("h1") ?? screen).focus({ preventScroll: true });
  }

  #set(state) {
    this.#state = state;
    this.setAttribute("state", state);
    this.#tell("cameo-state", { state });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Whether the app lets the person say what they cannot do: a claim of the token, which the server verifies. */
function asksNeeds(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).ask_needs === true;
  } catch {
    return false;
  }
}

function hello(run, needs) {
  const settings = run.media.getVideoTracks()[0].getSettings();
  const told = ["width", "height", "frameRate", "aspectRatio", "facingMode", "resizeMode"].filter((name) => settings[name] !== undefined);
  return {
    userAgent: navigator.userAgent.slice(0, 512),
    mimeType: run.mimeType,
    trackSettings: Object.fromEntries(told.map((name) => [name, String(settings[name]).slice(0, 128)])),
    displayWidth: Math.round(screen.width),
    displayHeight: Math.round(screen.height),
    displayHz: run.hz,
    needs: [...new Set([...needs, ...(matchMedia("(prefers-reduced-motion: reduce)").matches ? ["NEED_NO_LIGHT"] : [])])],
  };
}

/** Pictures a second that the display shows, of some of them; 0 where none come, as in a window that nobody sees. */
function refreshRate() {
  return new Promise((resolve) => {
    const times = [];
    const look = (time) => {
      times.push(time);
      if (times.length < 12) requestAnimationFrame(look);
      else resolve(Math.round(11_000 / Math.max(time - times[0], 1)));
    };
    requestAnimationFrame(look);
    setTimeout(() => resolve(0), 500);
  });
}

async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

customElements.define("cameo-capture", CameoCapture);
