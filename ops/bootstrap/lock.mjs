// Completes package-lock.json after `npm install`. npm leaves an optional package that it could not fetch (a binary for
// another platform that a mirror does not carry) out of the lock, and `npm ci` then refuses the whole lock. An entry
// with a version and a platform is enough: `npm ci` skips it here and fetches it where the platform matches.
// Usage: node ops/bootstrap/lock.mjs, after any change of dependencies.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32", "aix"];
const cpus = { "arm64": "arm64", "x64": "x64", "ia32": "ia32", "arm": "arm", "ppc64": "ppc64", "riscv64": "riscv64", "s390x": "s390x", "loong64": "loong64" };
let added = 0;

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || Object.keys(lock.packages).some((k) => k.endsWith(`/${key}`))) continue;
    const words = name.split("/").pop().split("-");
    const os = words.find((word) => systems.includes(word));
    const cpu = words.map((word) => cpus[word]).find((word) => word !== undefined);
    if (os === undefined && !words.includes("wasm32")) {
      process.stderr.write(`${name} is missing from the lock and its name tells no platform: run npm install again where it can be fetched\n`);
      process.exitCode = 1;
      continue;
    }
    const entry = { version: version.replace(/^[^0-9]*/, ""), ...(parent.dev === true ? { dev: true } : {}), optional: true };
    if (os !== undefined) entry.os = [os];
    entry.cpu = [os === undefined ? "wasm32" : cpu ?? "none"];
    lock.packages[key] = entry;
    added += 1;
  }
}

const root = lock.packages[""];
const rest = Object.keys(lock.packages).filter((key) => key !== "").sort((a, b) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries([["", root], ...rest.map((key) => [key, lock.packages[key]])]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${added} platform packages added\n`);
