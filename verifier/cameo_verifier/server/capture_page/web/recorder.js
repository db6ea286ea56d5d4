// One recording after another of the same stream, in slices, in order.

const SLICE_MS = 250;
const VIDEO_BITS_S = 2_500_000;
const AUDIO_BITS_S = 96_000;

export class Recording {
  #recorder;
  #sent = Promise.resolve();
  #send;
  #dropped = false;
  #stopped;

  /** Begin to record; `send` gets the bytes of each slice. */
  constructor(stream, mimeType, send) {
    this.#send = send;
    this.#recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: VIDEO_BITS_S, audioBitsPerSecond: AUDIO_BITS_S });
    this.#recorder.addEventListener("dataavailable", ({ data }) => this.#slice(data));
    this.#stopped = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve, { once: true }));
    this.#recorder.start(SLICE_MS);
    this.startedAt = performance.now();
  }

  /** Milliseconds recorded so far. */
  get ms() {
    return performance.now() - this.startedAt;
  }

  /** End it; resolves once its last slice was sent. */
  async end() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    await this.#stopped;
    await this.#sent;
  }

  /** End it, and send nothing more of it. */
  drop() {
    this.#dropped = true;
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  #slice(data) {
    if (!data.size) return;
    this.#sent = this.#sent.then(async () => {
      const bytes = await data.arrayBuffer();
      if (!this.#dropped) this.#send(bytes);
    });
  }
}
