// Colours of the whole page, each for long enough that it flashes less than three times a second (WCAG 2.3.1).

const LEAST_MS = 475;

export class Lights {
  #page;
  #next = 0;
  #timers = new Set();

  /** `page` is the element that is coloured. */
  constructor(page) {
    this.#page = page;
  }

  /** Show it once the colour before it has been there long enough; resolves when it is set. False where the person wants no motion. */
  async show(rgb) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return false;
    const wait = Math.max(0, this.#next - performance.now());
    this.#next = performance.now() + wait + LEAST_MS;
    if (wait) {
      await new Promise((resolve) => {
        const timer = setTimeout(() => { this.#timers.delete(timer); resolve(); }, wait);
        this.#timers.add(timer);
      });
    }
    this.#page.style.setProperty("--light", `#${rgb.toString(16).padStart(6, "0")}`);
    this.#page.toggleAttribute("data-lit", true);
    return true;
  }

  /** Back to the page's own colours; what still waits is not shown. */
  off() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#page.toggleAttribute("data-lit", false);
  }
}
