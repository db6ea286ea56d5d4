// Reads a receipt, and shows it with a device's key, with the SD-JWT VC library from npm: a JSON document on standard input, the
// result on standard output. Signatures are checked by Node's own cryptography.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { SDJwtVcInstance } = createRequire(`${process.argv[2]}/package.json`)("@sd-jwt/sd-jwt-vc");
const { token, jwks, lists, names, nonce, audience, device } = JSON.parse(readFileSync(0, "utf8"));
const algorithm = (key) => (key.asymmetricKeyType === "ed25519" ? null : "sha256");
const spelled = (key) => ({ key, dsaEncoding: "ieee-p1363" });
const verified = (jwk, data, signature) => {
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return verify(algorithm(key), Buffer.from(data), spelled(key), Buffer.from(signature, "base64url"));
};
const held = device && createPrivateKey({ key: device, format: "jwk" });
const library = new SDJwtVcInstance({
  hashAlg: "sha-256",
  hasher: (data, name) => createHash(name.replace("-", "")).update(Buffer.from(data)).digest(),
  verifier: (data, signature) => jwks.keys.some((jwk) => verified(jwk, data, signature)),
  kbVerifier: (data, signature, payload) => verified(payload.cnf.jwk, data, signature),
  statusListFetcher: (uri) => lists[uri],
  kbSigner: held && ((data) => sign(algorithm(held), Buffer.from(data), spelled(held)).toString("base64url")),
  kbSignAlg: device && (device.crv === "P-256" ? "ES256" : "Ed25519"),
});
try {
  if (names) {
    const payload = { iat: Math.floor(Date.now() / 1000), aud: audience, nonce };
    console.log(JSON.stringify({ token: await library.present(token, names, device && { kb: { payload } }) }));
  } else {
    const { payload, kb } = await library.verify(token, nonce && { keyBindingNonce: nonce });
    console.log(JSON.stringify({ payload, audience: kb?.payload.aud }));
  }
} catch (error) {
  console.log(JSON.stringify({ refused: error.message }));
}
