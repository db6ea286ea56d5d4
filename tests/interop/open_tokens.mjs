// Opens tokens with jose from npm: a JSON document on standard input, what each token says on standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { compactDecrypt, compactVerify, createLocalJWKSet, importJWK } = await import(
  pathToFileURL(createRequire(`${process.argv[2]}/package.json`).resolve("jose"))
);
const { jwks, key, tokens } = JSON.parse(readFileSync(0, "utf8"));
const options = { algorithms: ["Ed25519", "ES256"] };
const opened = [];
for (let token of tokens) {
  try {
    if (token.split(".").length === 5) {
      const how = { keyManagementAlgorithms: ["ECDH-ES+A256KW", "ECDH-ES"], contentEncryptionAlgorithms: ["A256GCM"] };
      token = new TextDecoder().decode((await compactDecrypt(token, await importJWK(key), how)).plaintext);
    }
    const { payload } = await compactVerify(token, createLocalJWKSet(jwks), options);
    opened.push(JSON.parse(new TextDecoder().decode(payload)));
  } catch (error) {
    opened.push({ refused: error.code ?? error.name });
  }
}
console.log(JSON.stringify(opened));
