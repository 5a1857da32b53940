/**
 * Goal: a person's model takes its place in a running line, the member's that was meant and no other's. Method: the real command beside a run's folder with
 * real segments, which an ensemble reads.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../kit/config.ts";
import { makeSegment } from "../kit/make-segment.ts";
import { native } from "../kit/native.ts";
import { runDirOf, segmentsOf, weightsOf } from "../kit/segments.ts";
import { run, type Ended } from "./command-rig.ts";

const SHIPPED = join(ROOT, "ops/models/demo.tlm");
const folder = mkdtempSync(join(tmpdir(), "tickline-publish-"));
const line = `test-publish-${process.pid}`;
const runDir = runDirOf(line);
after(() => {
  rmSync(folder, { recursive: true });
  rmSync(runDir, { recursive: true });
});

function variant(name: string, change: Partial<ReturnType<typeof native.modelRead>>): { readonly path: string; readonly hash: string } {
  const path = join(folder, `${name}.tlm`);
  return { path, hash: native.modelWrite(path, { ...native.modelRead(SHIPPED), ...change, name }) };
}

const { parameters, columns } = native.modelRead(SHIPPED);
const second = variant("second", { parameters: parameters.map((weight) => weight * 1.5) });
const tonight = variant("tonight", { parameters: parameters.map((weight) => weight * 0.5) });
const foreign = variant("foreign", { columns: columns.toReversed() });

mkdirSync(runDir, { recursive: true });
for (const segment of segmentsOf(1, [50_000, 50_000])) makeSegment(runDir, segment);
writeFileSync(join(runDir, "line.yaml"), JSON.stringify({ inference: { model: SHIPPED, ensemble: [second.path] } }));
native.NativeModel.load(SHIPPED, 1, [second.path]).attach(join(runDir, weightsOf(0)), [join(runDir, weightsOf(1))]);

const inPlace = (): (string | null)[] => [0, 1].map((nth) => native.weightsInPlace(join(runDir, weightsOf(nth)), SHIPPED));

const publish = (...args: string[]): Ended => run(["model", "publish", ...args], folder);

test("the member that is meant is replaced, and both hashes are said", () => {
  const shipped = native.modelInfo(SHIPPED).hash;
  assert.deepEqual(inPlace(), [shipped, second.hash]);
  assert.deepEqual(publish("tonight.tlm", "--line", line, "--member", "2"), { code: 0, out: `${line}: member 2: ${second.hash} gave way to ${tonight.hash}\n`, err: "" });
  assert.deepEqual(inPlace(), [shipped, tonight.hash]);
  assert.deepEqual(JSON.parse(publish("second.tlm", "--line", line, "--json").out), { line, member: 1, from: shipped, to: second.hash });
  assert.deepEqual(inPlace(), [second.hash, tonight.hash]);
});

test("what does not fit is refused and changes nothing", () => {
  const before = inPlace();
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[foreign.path, "--line", line], /another architecture or other columns need a restart of the line.*foreign\.tlm/],
    [["absent.tlm", "--line", line], /absent\.tlm/],
    [["tonight.tlm", "--line", line, "--member", "3"], /--member 3: line test-publish-\d+ runs an ensemble of 2; give a number from 1 to 2/],
    [["tonight.tlm", "--line", "no-such-line"], /no line named no-such-line is running here/],
  ];
  for (const [args, says] of cases) {
    const { code, err } = publish(...args);
    assert.equal(code, 2, err);
    assert.match(err, says);
  }
  assert.deepEqual(inPlace(), before);
});
