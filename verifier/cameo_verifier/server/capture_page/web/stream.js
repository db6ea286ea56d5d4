// The WebSocket of one capture: text frames are messages of cameo.v1 in protobuf's JSON mapping, binary frames are media.

const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export class Stream {
  #socket;

  /**
   * Open it. `on` has: message(name, value) for each message of the server; error({ reason, retryAfterS }) where the server ends
   * the session; dropped() where the connection breaks; slow() where more waits to be sent than a connection may hold.
   */
  constructor(url, token, hello, on) {
    let over = false;
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      // The token travels in a message: an address is written to logs.
      socket.send(JSON.stringify({ token }));
      socket.send(JSON.stringify({ hello }));
    });
    socket.addEventListener("message", ({ data }) => {
      const [[name, value]] = Object.entries(JSON.parse(data));
      over = name === "error" || name === "result";
      if (name === "error") on.error(value);
      else on.message(name, value);
    });
    socket.addEventListener("close", () => { if (!over) on.dropped(); });
    this.#socket = socket;
    this.on = on;
  }

  send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  sendMedia(bytes) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_WAITING_BYTES) this.on.slow();
    else this.#socket.send(bytes);
  }

  /** Close it; nothing is told of it any more. */
  close() {
    this.on.message = this.on.error = this.on.dropped = this.on.slow = () => {};
    this.#socket.close();
  }
}
