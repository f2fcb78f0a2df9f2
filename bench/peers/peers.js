// npm's cookie (peer node-cookie) and tough-cookie; a missing one is skipped.
"use strict";

const value = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdef";
const token = "h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL";
const setCookie =
  `sessionid=${token}; Domain=example.com; expires=Thu, 26 Jun 2025 11:48:30 GMT; HttpOnly; ` +
  "Max-Age=1209600; Partitioned; Path=/; SameSite=None; Secure";
const expires = new Date(1750938510 * 1000);
let sink = 0;

function header(count) {
  const pairs = [];
  for (let i = 0; i < count; i++) pairs.push(`cookie_${String(i).padStart(2, "0")}=${value.slice(0, 73)}`);
  // Through a buffer: a joined string is a tree of pieces until something reads it whole.
  return Buffer.from(pairs.join("; ")).toString("latin1");
}

function run(call, atLeast) {
  const start = process.hrtime.bigint();
  for (let times = 64; ; times += 64) {
    for (let i = 0; i < 64; i++) call();
    const took = Number(process.hrtime.bigint() - start);
    if (took >= atLeast) return took / times;
  }
}

// Warms up, then takes the best of five runs.
function measure(peer, op, call) {
  run(call, 3e8);
  let best = Infinity;
  for (let i = 0; i < 5; i++) best = Math.min(best, run(call, 2e8));
  console.log(`${peer}\t${op}\t${best.toFixed(1)}`);
}

function must(condition, what) {
  if (!condition) throw new Error(what);
}

// A written cookie is a tree of pieces too; a server flattens it when it sends it.
const flat = Buffer.alloc(1024);

function nodeCookie() {
  const cookie = require("cookie");
  console.log(`# node-cookie ${require("cookie/package.json").version}, node ${process.version}`);
  for (const count of [3, 12, 50]) {
    const text = header(count);
    must(Object.keys(cookie.parse(text)).length === count, "parse");
    measure("node-cookie", `parse_${count}`, () => {
      const cookies = cookie.parse(text);
      for (const name in cookies) sink += name.length + cookies[name].length;
    });
  }
  const twelve = header(12);
  measure("node-cookie", "get_one", () => (sink += cookie.parse(twelve)["cookie_07"].length));

  const write = () =>
    cookie.serialize("sessionid", token, {
      domain: "example.com",
      path: "/",
      maxAge: 1209600,
      expires,
      sameSite: "none",
      secure: true,
      httpOnly: true,
      partitioned: true, // nothing before 0.6
    });
  console.log(`# node-cookie writes ${write()}`);
  measure("node-cookie", "write_full", () => (sink += flat.latin1Write(write())));
}

function toughCookie() {
  const { Cookie, CookieJar } = require("tough-cookie");
  console.log(`# tough-cookie ${require("tough-cookie/package.json").version}, node ${process.version}`);

  const write = () => {
    const fields = { key: "sessionid", value: token, domain: "example.com", path: "/", maxAge: 1209600, expires };
    return new Cookie({ ...fields, sameSite: "none", secure: true, httpOnly: true }).toString();
  };
  console.log(`# tough-cookie writes ${write()}`);
  measure("tough-cookie", "write_full", () => (sink += flat.latin1Write(write())));

  must(Cookie.parse(setCookie).maxAge === 1209600, "Set-Cookie");
  measure("tough-cookie", "parse_set_cookie", () => (sink += Cookie.parse(setCookie).value.length));

  const jar = new CookieJar();
  for (let h = 0; h < 300; h++) {
    const number = (n, width) => String(n).padStart(width, "0");
    const url = `https://host${number(h, 3)}.example${number(Math.floor(h / 10), 2)}.com/`;
    for (let i = 0; i < 10; i++) jar.setCookieSync(`c${i}=${value.slice(0, 32)}; Path=/; Max-Age=${86400 * 300}`, url);
  }
  const look = () => jar.getCookieStringSync("https://host150.example15.com/some/path");
  must(look().split("; ").length === 10, "jar");
  measure("tough-cookie", "jar_header_3000", () => (sink += flat.latin1Write(look())));
}

for (const [name, peer] of [
  ["node-cookie", nodeCookie],
  ["tough-cookie", toughCookie],
]) {
  try {
    peer();
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    console.log(`# ${name}: not installed`);
  }
}
must(!Number.isNaN(sink), "a length was missing");
