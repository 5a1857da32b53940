/**
 * Goal: a line of log is on its way out when the call returns, with its service's name, and below its level nothing is.
 * Method: a process logs and kills itself at once; what it said is read from its pipe.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { LOG_LEVELS } from "./log.ts";

function said(script: string): Record<string, unknown>[] {
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", `import { createLog } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)}; ${script}`], { encoding: "utf8" });
  return child.stderr.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a line written just before a kill is not lost", () => {
  const lines = said('createLog("feed").info({ gap: 3 }, "lost packets"); process.kill(process.pid, "SIGKILL");');
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.["name"], "feed");
  assert.equal(lines[0]?.["gap"], 3);
  assert.equal(lines[0]?.["msg"], "lost packets");
});

test("a level below the one asked for says nothing", () => {
  assert.deepEqual(said('const log = createLog("feed", "warn"); log.info("quiet"); log.warn("heard");').map((line) => line["msg"]), ["heard"]);
  assert.deepEqual(said('createLog("feed", "silent").error("quiet");'), []);
  assert.equal(LOG_LEVELS[0], "silent");
});
