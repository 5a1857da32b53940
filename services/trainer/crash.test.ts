/**
 * Goal: a training run that is killed, at any moment and again and again, ends with the file of one that was left alone.
 * Method: the real command as a child process on made-up files, killed by SIGKILL once it has written a new checkpoint; both kinds of
 * network, with dropout, with carried state, and with rows held out that say when to stop. Then checkpoints that are damaged, or of another run.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { COMMAND, run } from "../cli/command-rig.ts";
import { writeFi2010 } from "./fi2010-rig.ts";
import { trials } from "../../test/trials.ts";

const KILLS = trials(3, 25);
const folder = mkdtempSync(join(tmpdir(), "tickline-crash-"));
after(() => rmSync(folder, { recursive: true }));

const data = ["--fi2010", writeFi2010(join(folder, "train.txt"), 1500), writeFi2010(join(folder, "test.txt"), 600), "--horizon", "10"];
const NETWORKS = { "c-tabl": ["--epochs", "12", "--window", "10"], gru: ["--epochs", "60", "--steps", "20", "--batch", "8"], "bin-c-tabl": ["--epochs", "12", "--window", "5", "--hold", "0.3", "--patience", "4"] } as const;

function args(network: keyof typeof NETWORKS, out: string, checkpoint: string): string[] {
  return ["model", "train", network, ...data, ...NETWORKS[network], "--out", join(folder, out), "--checkpoint", join(folder, checkpoint), "--checkpoint-every", "0"];
}

const stamp = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Starts the run and kills it once it has moved its checkpoint on; true when it came to its end before. */
async function killed(command: readonly string[], file: string, wait: number): Promise<boolean> {
  const before = stamp(file);
  const child = spawn(process.execPath, [COMMAND, ...command], { cwd: folder, stdio: "ignore" });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  while (child.exitCode === null && stamp(file) === before) await sleep(1);
  await sleep(wait);
  child.kill("SIGKILL");
  return (await ended) === 0;
}

for (const network of Object.keys(NETWORKS) as (keyof typeof NETWORKS)[]) {
  test(`${network}: killed ${KILLS} times, the file is the same byte for byte`, async () => {
    const whole = run(args(network, "whole.tlm", "whole.run"), folder);
    assert.equal(whole.code, 0, whole.err);
    assert.ok(!existsSync(join(folder, "whole.run")), "the checkpoint goes once the model is there");
    const file = join(folder, `${network}.run`);
    let kills = 0;
    while (kills < KILLS && !(await killed(args(network, "cut.tlm", `${network}.run`), file, (7 * kills) % 23))) kills++;
    assert.ok(kills >= Math.min(KILLS, 3), `${kills} kills before the run was done`);
    const last = run(args(network, "cut.tlm", `${network}.run`), folder);
    assert.equal(last.code, 0, last.err);
    assert.deepEqual(readFileSync(join(folder, "cut.tlm")), readFileSync(join(folder, "whole.tlm")));
  });
}

test("a checkpoint that is damaged, cut, or of other settings is refused by name, and the file stays", async () => {
  const file = join(folder, "kept.run");
  assert.equal(await killed(args("gru", "kept.tlm", "kept.run"), file, 0), false);
  const good = readFileSync(file);
  const refusal = (bytes: Uint8Array, command: readonly string[]): string => {
    writeFileSync(file, bytes);
    const { code, err } = run(command, folder);
    assert.equal(code, 2, err);
    assert.deepEqual(readFileSync(file), Buffer.from(bytes));
    return err;
  };
  const damaged = Buffer.from(good);
  damaged[100] = (damaged[100] ?? 0) ^ 1;
  for (const bytes of [damaged, good.subarray(0, good.length - 9), Buffer.from("a text")]) {
    assert.match(refusal(bytes, args("gru", "kept.tlm", "kept.run")), /kept\.run: damaged, or no checkpoint; remove it/);
  }
  assert.match(refusal(good, [...args("gru", "kept.tlm", "kept.run"), "--seed", "2"]), /of other rows, another network or other settings/);
  assert.ok(!existsSync(join(folder, "kept.tlm")));
});
