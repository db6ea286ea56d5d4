// An app's server: creates live sessions, and reads their results. node app.mjs VERIFIER AUDIENCE STREAM COMPONENT PROTOS [PORT]
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [verifier, audience, stream, component, protos, port = "0"] = process.argv.slice(2);
const options = { includeDirs: [protos], enums: String, defaults: true };
const { SessionService } = loadPackageDefinition(loadSync("cameo/v1/session_service.proto", options)).cameo.v1;
const sessions = new SessionService(verifier, credentials.createInsecure());
const call = (name, request) =>
  new Promise((resolve, reject) => sessions[name](request, (error, answer) => (error ? reject(error) : resolve(answer))));
const TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json" };
const ofAccount = new Map();

// The token is for this person's browser alone.
async function create(account) {
  const created = await call("CreateSession", { subject: account, audience, requestId: randomUUID() });
  ofAccount.set(account, created.session.id);
  return { token: created.captureToken, stream };
}

// Ask the service itself: what a browser says, whoever sits before it can change.
async function result(account) {
  const found = await call("GetSession", { sessionId: ofAccount.get(account) });
  return { state: found.session.state, verdict: found.result?.attempt?.verdict ?? "VERDICT_UNSPECIFIED" };
}

const server = createServer(async ({ method, url }, response) => {
  const account = "account-42"; // whoever is signed in
  const send = (type, body) => response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store" }).end(body);
  try {
    const file = url === "/" ? new URL("index.html", import.meta.url) : join(component, normalize(url).replace("/cameo-capture/", ""));
    if (method === "POST") send(TYPES[".json"], JSON.stringify(await create(account)));
    else if (url === "/result") send(TYPES[".json"], JSON.stringify(await result(account)));
    else send(url === "/" ? TYPES[".html"] : TYPES[extname(file)], await readFile(file));
  } catch (error) {
    response.writeHead(error.code === "ENOENT" ? 404 : 502).end(String(error.message));
  }
});
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
