#!/usr/bin/env node
// The `tickline` command. Any Node can start it; the pinned one, which runs TypeScript, carries it on.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const main = new URL("./main.ts", import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= 24) {
  if (existsSync(new URL("../../node_modules/commander/package.json", import.meta.url))) {
    await import(main.href);
  } else {
    process.stderr.write("tickline is not set up yet: run npm start, or node ops/bootstrap/bootstrap.mjs prepare\n");
    process.exitCode = 2;
  }
} else {
  const pinned = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
  if (existsSync(pinned)) {
    const child = spawn(pinned, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.on("close", (code, signal) => { process.exitCode = code ?? 128 + constants.signals[signal]; });
  } else {
    process.stderr.write(`tickline needs Node 24 and this is ${process.versions.node}: run npm start, or node ops/bootstrap/bootstrap.mjs prepare, which installs the pinned one\n`);
    process.exitCode = 2;
  }
}
