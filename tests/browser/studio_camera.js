// In place of a camera and a recorder: what the studio renders. That is an injection, and what it shows is the flow.
// The recorder goes in lockstep with the server: after each slice it waits until the server has analysed it, however long that takes.
(() => {
  const LAG_MS = 300;
  const prompts = [];
  let analysed = 0;
  let news = () => {};
  let over = false;
  let clock = 0;
  // The page's clock passes with the recording, as it does with a camera.
  performance.now = () => clock;
  document.addEventListener("cameo-progress", ({ detail }) => { analysed = detail.analysedMs; news(); });
  document.addEventListener("cameo-prompt", ({ detail }) => { prompts.push(detail.step); });
  for (const name of ["cameo-stop", "cameo-trouble"]) document.addEventListener(name, () => { over = true; news(); });
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });

  navigator.mediaDevices.getUserMedia = async () => {
    canvas.getContext("2d").fillRect(0, 0, 640, 480);
    const stream = canvas.captureStream(25);
    stream.addTrack(new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]);
    return stream;
  };

  window.MediaRecorder = class extends EventTarget {
    static isTypeSupported(type) { return type === "video/webm;codecs=vp8,opus"; }
    state = "inactive";
    #ran;

    start() {
      this.state = "recording";
      analysed = 0;
      this.#ran = this.#run();
    }

    stop() {
      this.state = "inactive";
      news();
      this.#ran.then((recording) => window.studioEnd(recording)).then((media) => {
        this.#give(media);
        this.dispatchEvent(new Event("stop"));
      });
    }

    async #run() {
      const recording = await window.studioRecord();
      while (this.state === "recording" && !over) {
        const { media, picture, ms, slice } = await window.studioSlice(prompts.splice(0));
        clock += slice;
        const drawn = await createImageBitmap(new Blob([bytes(picture)], { type: "image/jpeg" }));
        canvas.getContext("2d").drawImage(drawn, 0, 0, 640, 480);
        this.#give(media);
        while (analysed < ms - LAG_MS && this.state === "recording" && !over) await new Promise((resolve) => { news = resolve; });
      }
      return recording;
    }

    #give(media) {
      this.dispatchEvent(Object.assign(new Event("dataavailable"), { data: new Blob([bytes(media)]) }));
    }
  };
})();
