// The seals of one capture: a key that this browser makes and never gives out signs each slice. The bytes are those of the message
// `Seal` in session_service.proto.

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const utf8 = new TextEncoder();

export class Sealer {
  /** The public key in base64, for `hello`. */
  key;
  #private;
  #session;
  #nonce;
  #nonces = 0;
  #recording = 1;
  #number = 0;
  #previous = new Uint8Array(32);

  /** With a new key; null in a browser that makes none: then nothing is sealed. */
  static async make() {
    try {
      const { publicKey, privateKey } = await crypto.subtle.generateKey(ALGORITHM, false, ["sign"]);
      const sealer = new Sealer();
      sealer.#private = privateKey;
      sealer.key = toBase64(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)));
      return sealer;
    } catch {
      return null;
    }
  }

  /** A nonce came from the server, with the session's id where it is the first. */
  async renew(nonce, sessionId) {
    if (sessionId) this.#session = await sha256(utf8.encode(sessionId));
    this.#nonce = Uint8Array.from(atob(nonce), (character) => character.charCodeAt(0));
    this.#nonces += 1;
  }

  /** The recording of the answer begins. */
  begin() {
    this.#recording += 1;
  }

  /** The seal of the next slice, or of the end where there is none. One at a time. Undefined where the server asked for none. */
  async seal(slice) {
    if (!this.#session) return undefined;
    const numbers = new DataView(new ArrayBuffer(8));
    numbers.setUint32(0, this.#recording);
    numbers.setUint32(4, this.#number);
    const signed = await new Blob([
      utf8.encode(slice ? "cameo.v1 slice\0" : "cameo.v1 end\0"), this.#session, numbers, this.#nonce, this.#previous,
      await sha256(slice ?? new Uint8Array()),
    ]).arrayBuffer();
    const seal = { number: this.#number, nonce: this.#nonces - 1, signature: new Uint8Array(await crypto.subtle.sign(SIGNING, this.#private, signed)) };
    this.#previous = await sha256(signed);
    this.#number += 1;
    return seal;
  }
}

/** A slice with its seal before it, as the stream carries it. */
export function framed({ number, nonce, signature }, slice) {
  const numbers = new DataView(new ArrayBuffer(8));
  numbers.setUint32(0, number);
  numbers.setUint32(4, nonce);
  return new Blob([signature, numbers, slice]);
}

export function toBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
