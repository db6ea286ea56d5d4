// Colours of the whole page, each for long enough that it flashes less than three times a second (WCAG 2.3.1).

const LEAST_MS = 475;

export class Lights {
  #page;
  #since = -Infinity;
  #last = Promise.resolve();
  #on = true;

  /** `page` is the element that is coloured. */
  constructor(page) {
    this.#page = page;
  }

  /** Show it once the one before has been there long enough; resolves to whether it is shown: never where the person wants no motion. */
  show(rgb) {
    this.#last = this.#last.then(() => this.#show(rgb));
    return this.#last;
  }

  async #show(rgb) {
    // A timer may be late, or early by less than a millisecond: what counts is when the one before was set.
    for (let wait; (wait = this.#since + LEAST_MS - performance.now()) > 0 && this.#on;) {
      await new Promise((resolve) => { setTimeout(resolve, Math.ceil(wait)); });
    }
    if (!this.#on || matchMedia("(prefers-reduced-motion: reduce)").matches) return false;
    this.#since = performance.now();
    this.#page.style.setProperty("--light", `#${rgb.toString(16).padStart(6, "0")}`);
    this.#page.toggleAttribute("data-lit", true);
    return true;
  }

  /** Back to the page's own colours; what still waits is not shown. */
  off() {
    this.#on = false;
    this.#page.toggleAttribute("data-lit", false);
  }
}
