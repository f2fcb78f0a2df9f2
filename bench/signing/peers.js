// npm's cookie-signature, Express' steps around it, keygrip and iron-webcrypto; a missing
// one is skipped.
"use strict";

const { webcrypto } = require("node:crypto");
const fs = require("node:fs");

const key = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
const text = "v".repeat(100);
const payload = {
  _auth_user_id: "42",
  _auth_user_backend: "django.contrib.auth.backends.ModelBackend",
  _auth_user_hash: "7".padStart(64, "0"),
  cart: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  language: "de",
  messages: "8".padStart(60, "0"),
};
let sink = 0;

function must(condition, what) {
  if (!condition) throw new Error(what);
}

function run(call, atLeast) {
  const start = process.hrtime.bigint();
  for (let times = 64; ; times += 64) {
    for (let i = 0; i < 64; i++) call();
    const took = Number(process.hrtime.bigint() - start);
    if (took >= atLeast) return took / times;
  }
}

async function runAsync(call, atLeast) {
  const start = process.hrtime.bigint();
  for (let times = 8; ; times += 8) {
    for (let i = 0; i < 8; i++) await call();
    const took = Number(process.hrtime.bigint() - start);
    if (took >= atLeast) return took / times;
  }
}

// Warms up, then takes the best of five runs.
async function measure(peer, op, call, runner = run) {
  await runner(call, 3e8);
  let best = Infinity;
  for (let i = 0; i < 5; i++) best = Math.min(best, await runner(call, 2e8));
  console.log(`${peer}\t${op}\t${best.toFixed(1)}`);
}

// A written token is a tree of pieces until a server sends it: this makes it flat.
const flat = Buffer.alloc(2048);

async function measurePair(peer, dialect, names, value, write, read) {
  // Through a buffer, as one that came in a request.
  const token = Buffer.from(write(value)).toString("latin1");
  must(JSON.stringify(read(token)) === JSON.stringify(value), `${dialect} ${names[1]}`);
  await measure(peer, `${dialect} ${names[0]}`, () => (sink += flat.latin1Write(write(value))));
  await measure(peer, `${dialect} ${names[1]}`, () => (sink += read(token) ? 1 : NaN));
}

const measureText = (peer, dialect, ...ways) => measurePair(peer, dialect, ["sign", "verify"], text, ...ways);
const measureJSON = (peer, dialect, ...ways) => measurePair(peer, dialect, ["dumps", "loads"], payload, ...ways);

// Not every package lets its package.json be required.
function version(name) {
  const at = require.resolve(name);
  const root = at.slice(0, at.lastIndexOf(name) + name.length);
  return JSON.parse(fs.readFileSync(`${root}/package.json`)).version;
}

const say = (...names) => console.log(`# ${names.map((name) => `${name} ${version(name)}`).join(", ")}, node ${process.version}`);

async function cookieSignature() {
  const { sign, unsign } = require("cookie-signature");
  say("cookie-signature");
  const write = (value) => sign(value, key);
  const read = (token) => unsign(token, key);
  await measureText("cookie-signature", "cookie-signature", write, read);
  await measureJSON(
    "cookie-signature",
    "cookie-signature",
    (value) => write(JSON.stringify(value)),
    (token) => JSON.parse(read(token)),
  );
}

// What res.cookie and cookie-parser do with a value, without a request.
async function express() {
  const { sign } = require("cookie-signature");
  const { signedCookie, JSONCookie } = require("cookie-parser");
  say("cookie-signature", "cookie-parser");
  const write = (value) => encodeURIComponent(`s:${sign(value, key)}`);
  const read = (token) => signedCookie(decodeURIComponent(token), key);
  await measureText("express", "express", write, read);
  await measureJSON(
    "express",
    "express",
    (value) => write(`j:${JSON.stringify(value)}`),
    (token) => JSONCookie(read(token)),
  );
}

// The two cookies of cookie-session as one token, value.signature.
async function keygrip() {
  const keys = new (require("keygrip"))([key]);
  say("keygrip");
  const write = (value) => `${value}.${keys.sign(`session=${value}`)}`;
  const read = (token) => {
    const dot = token.lastIndexOf(".");
    const value = token.slice(0, dot);
    must(keys.verify(`session=${value}`, token.slice(dot + 1)), "keygrip");
    return value;
  };
  await measureText("keygrip", "keygrip", write, read);
  await measureJSON(
    "keygrip",
    "keygrip",
    (value) => write(Buffer.from(JSON.stringify(value)).toString("base64")),
    (token) => JSON.parse(Buffer.from(read(token), "base64")),
  );
}

// As iron-session calls it.
async function ironSession() {
  const { seal, unseal, defaults } = require("iron-webcrypto");
  say("iron-webcrypto");
  const options = { ...defaults, ttl: 14 * 86400 * 1000 };
  const write = async (value) => `${await seal(webcrypto, value, { id: "1", secret: key }, options)}~2`;
  const read = (token) => unseal(webcrypto, token.slice(0, -2), { 1: key }, options);
  for (const [names, value] of [
    [["sign", "verify"], text],
    [["dumps", "loads"], payload],
  ]) {
    const token = await write(value);
    must(JSON.stringify(await read(token)) === JSON.stringify(value), "iron-webcrypto");
    await measure("iron-webcrypto", `iron-session ${names[0]}`, async () => (sink += (await write(value)).length), runAsync);
    await measure("iron-webcrypto", `iron-session ${names[1]}`, () => read(token), runAsync);
  }
}

(async () => {
  for (const [name, peer] of [
    ["cookie-signature", cookieSignature],
    ["cookie-parser", express],
    ["keygrip", keygrip],
    ["iron-webcrypto", ironSession],
  ]) {
    try {
      await peer();
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
      console.log(`# ${name}: not installed`);
    }
  }
  must(!Number.isNaN(sink), "a token was refused");
})();
