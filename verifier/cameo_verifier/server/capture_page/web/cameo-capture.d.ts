/** Where a capture stands. */
export type CaptureState =
  | "intro" | "permission" | "preparing" | "prompting" | "judging" | "result" | "trouble";

/** What is in the way of a capture: a key of `troubles` in the texts. */
export type CaptureTrouble =
  | "noCamera" | "refused" | "inUse" | "noMicrophone" | "silentMicrophone" | "slowCamera" | "noCodec" | "webView" | "oldBrowser"
  | "insecure" | "offline" | "unreachable" | "lost" | "lostAfter" | "expired" | "used" | "inUseElsewhere" | "badLink" | "tooSlow"
  | "tooLong" | "overloaded" | "tooMany" | "noPath" | "failed";

/** Events of <cameo-capture>; all of them bubble. Verdicts here inform the person: an app believes its own `GetSession` alone. */
export interface CameoCaptureEventMap {
  /** The screen changed. */
  "cameo-state": CustomEvent<{ state: CaptureState }>;
  /** The person agreed to the text with this SHA-256 digest, in hexadecimal. */
  "cameo-consent": CustomEvent<{ sha256: string; language: string }>;
  /** The result, with names of the enums `cameo.v1.Verdict` and `cameo.v1.Reason`. `hint`: in the page's language, in the session's where
   * the texts lack it. `again`: another session may pass. */
  "cameo-result": CustomEvent<{ verdict: string; reasons: string[]; hint: string; attemptId: string; again: boolean }>;
  /** It ended without a result. `reason`: the server's, if it was the server. `again`: the same session can be tried again. */
  "cameo-trouble": CustomEvent<{ trouble: CaptureTrouble; reason: string; again: boolean }>;
  /** The person asks for another session: create one, and set `token`. */
  "cameo-again": CustomEvent<Record<string, never>>;
  /** The person goes on. */
  "cameo-done": CustomEvent<Record<string, never>>;
}

/**
 * <cameo-capture token stream lang consent last>: a person answers a live session on camera. `last`: at the end there is no button,
 * because the page knows no way to go on.
 *
 * Custom properties: --paper, --panel, --sunk, --ink, --soft, --rule, --accent, --on-accent, --good, --bad, --warn.
 */
export declare class CameoCapture extends HTMLElement {
  /** `capture_token` of `CreateSessionResponse`. */
  token: string;
  /** URL of the stream; `/capture/stream` of the server, by default beside this module. Attribute `stream`. */
  readonly stream: string;
  /** The text that a person agrees to; paragraphs are separated by empty lines. By default that of the language. */
  consent: string;
  /** Where it stands. Attribute `state`. */
  readonly state: CaptureState | "";
  /** Begin, as the button of the first screen does. */
  start(): Promise<void>;
  /** Stop; the session can be used again as long as no prompt was shown. */
  cancel(): void;
  addEventListener<K extends keyof CameoCaptureEventMap>(
    type: K, listener: (event: CameoCaptureEventMap[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "cameo-capture": CameoCapture;
  }
}
