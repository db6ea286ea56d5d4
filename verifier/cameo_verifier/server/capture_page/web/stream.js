// The WebSocket of one capture: text frames are messages of cameo.v1 in protobuf's JSON mapping, binary frames are media.
import { framed, toBase64 } from "./sealer.js";

const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export class Stream {
  #socket;
  #sealer;
  /** What is sent goes in order, though sealing takes a moment. */
  #last = Promise.resolve();

  /**
   * Open it; `sealer` seals what is sent, null for none. `on` has: message(name, value) for each message of the server; error({ reason, retryAfterS }) where the server ends
   * the session; dropped() where the connection breaks; slow() where more waits to be sent than a connection may hold.
   */
  constructor(url, token, hello, sealer, on) {
    let over = false;
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      // The token travels in a message: an address is written to logs.
      socket.send(JSON.stringify({ token }));
      socket.send(JSON.stringify({ hello: sealer ? { ...hello, sealKey: sealer.key } : hello }));
    });
    socket.addEventListener("message", ({ data }) => {
      const { sealNonce, ...message } = JSON.parse(data);
      const [[name, value]] = Object.entries(message);
      // From the next thing that is sent on: that a prompt is shown is said after it.
      if (sealNonce) this.#inOrder(() => sealer?.renew(sealNonce, message.welcome?.sessionId));
      over = name === "error" || name === "result";
      if (name === "error") on.error(value);
      else on.message(name, value);
    });
    socket.addEventListener("close", () => { if (!over) on.dropped(); });
    this.#socket = socket;
    this.#sealer = sealer;
    this.on = on;
  }

  send(message) {
    this.#inOrder(async () => {
      const seal = message.bye && await this.#sealer?.seal(null);
      if (message.started) this.#sealer?.begin();
      this.#write(JSON.stringify(seal ? { ...message, seal: { ...seal, signature: toBase64(seal.signature) } } : message));
    });
  }

  sendMedia(bytes) {
    this.#inOrder(async () => {
      const seal = await this.#sealer?.seal(bytes);
      if (this.#socket.bufferedAmount > MAX_WAITING_BYTES) this.on.slow();
      else this.#write(seal ? framed(seal, bytes) : bytes);
    });
  }

  #write(data) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data);
  }

  #inOrder(work) {
    this.#last = this.#last.then(work).catch(() => this.#socket.close());
  }

  /** Close it; nothing is told of it any more. */
  close() {
    this.on.message = this.on.error = this.on.dropped = this.on.slow = () => {};
    this.#socket.close();
  }
}
