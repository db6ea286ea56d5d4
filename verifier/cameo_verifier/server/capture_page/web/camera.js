// Camera, microphone and codec: opened, or the name of what is in the way.

const MIME_TYPES = [
  "video/webm;codecs=vp8,opus",
  "video/webm;codecs=vp9,opus",
  "video/webm;codecs=h264,opus",
  "video/mp4;codecs=avc1.42E01E,mp4a.40.2",
  "video/mp4;codecs=avc1.42E01E,opus",
];

/** Trouble: an error whose `name` is a key of `troubles` in the texts. */
export class Trouble extends Error {
  constructor(key, { retryAfterS = 0 } = {}) {
    super(key);
    this.key = key;
    this.retryAfterS = retryAfterS;
  }
}

/** The first type that this browser records and the server reads. Throws Trouble where there is none. */
export function mimeType() {
  const type = MIME_TYPES.find((candidate) => MediaRecorder.isTypeSupported(candidate));
  if (!type) throw new Trouble("noCodec");
  return type;
}

/** Throws Trouble where this browser cannot capture at all. */
export function requireBrowser() {
  if (navigator.onLine === false) throw new Trouble("offline");
  if (!window.isSecureContext) throw new Trouble("insecure");
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) throw new Trouble(inWebView() ? "webView" : "oldBrowser");
  if (!window.WebSocket || !window.crypto?.subtle) throw new Trouble("oldBrowser");
  mimeType();
}

/** Whether the page is shown inside another app, which often keeps the camera from it. */
function inWebView() {
  const agent = navigator.userAgent;
  return /; wv\)|\bFBA[NV]\b|Instagram|\bLine\/|MicroMessenger/.test(agent)
    || (/iPhone|iPad|iPod/.test(agent) && /AppleWebKit/.test(agent) && !/Safari\//.test(agent));
}

/** A stream of camera and microphone, those with these ids where given. Throws Trouble. */
export async function open({ cameraId, microphoneId } = {}) {
  const wanted = {
    video: {
      ...(cameraId ? { deviceId: { exact: cameraId } } : { facingMode: "user" }),
      width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 },
    },
    // What a browser does to a voice changes it; only its level may be adapted.
    audio: {
      ...(microphoneId ? { deviceId: { exact: microphoneId } } : {}),
      echoCancellation: false, noiseSuppression: false, autoGainControl: true,
    },
  };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    throw await trouble(error);
  }
  if (!stream.getVideoTracks().length) throw closed(stream, "noCamera");
  if (!stream.getAudioTracks().length) throw closed(stream, "noMicrophone");
  return stream;
}

export function close(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function closed(stream, key) {
  close(stream);
  return new Trouble(key);
}

async function trouble(error) {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new Trouble(inWebView() ? "webView" : "refused");
    case "NotReadableError":
    case "AbortError":
      return new Trouble("inUse");
    case "NotFoundError":
    case "OverconstrainedError": {
      const kinds = new Set((await devices()).map((device) => device.kind));
      return new Trouble(kinds.has("videoinput") && !kinds.has("audioinput") ? "noMicrophone" : "noCamera");
    }
    default:
      return new Trouble("oldBrowser");
  }
}

/** The devices there are; their names are known once the person has given permission. */
export async function devices() {
  try {
    return await navigator.mediaDevices.enumerateDevices();
  } catch {
    return [];
  }
}
