/**
 * Goal: the table's sums and verdicts are right, and an interrupted comparison goes on where it stopped with the same rows.
 * Method: hand-made rows; a file that was cut, is foreign, or is of other settings; a short comparison on real flow, broken off after its
 * first run (skipped where the data is absent; TICKLINE_DATA, else ../shared/data).
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { absent, recorded } from "../../test/data.ts";
import { ROOT } from "../kit/config.ts";
import { compare } from "./compare.ts";
import type { Run } from "./job.ts";
import { Ledger } from "./ledger.ts";
import { loadPreset } from "./preset.ts";
import { shortened } from "./short-rig.ts";
import { baseline, rowOf, spread, verdicts, type Row } from "./table.ts";

const CAPTURE = recorded("itch/GOOG.pcap.gz");
const skip = absent(CAPTURE);
const folder = mkdtempSync(join(tmpdir(), "tickline-table-"));
after(() => rmSync(folder, { recursive: true }));

const group = { labels: "exact", horizon: 10 } as const;
const good = [[80, 10, 10], [10, 80, 10], [10, 10, 80]];
const worse = [[60, 20, 20], [20, 60, 20], [20, 20, 60]];

function run(seed: number, confusion: number[][], int8 = confusion): Run {
  return { key: `${seed}`, network: "mlp", ...group, seed, confusion, rounded: [confusion, confusion, int8], bins: [100, 70, 80], parameters: 5, multiplyAdds: 6, latencyNs: seed * 100, seconds: seed };
}

function row(network: string, horizon: number, mean: number, deviation: number): Row {
  const { lost, parameters, multiplyAdds, latencyNs, seconds, scores, mcc, accuracy } = baseline(group, "majority", good);
  return { labels: "exact", horizon, network, macroF1: { mean, deviation }, mcc, accuracy, lost, parameters, multiplyAdds, latencyNs, seconds, scores };
}

test("the spread over seeds is the sample's deviation", () => {
  assert.deepEqual(spread([2, 4, 4, 4, 5, 5, 7, 9]), { mean: 5, deviation: Math.sqrt(32 / 7) });
  assert.deepEqual(spread([3]), { mean: 3, deviation: 0 });
});

test("a row is the mean of its runs; what rounding loses is counted run by run", () => {
  const made = rowOf(group, "mlp", [run(1, good), run(2, worse), run(3, good, worse)]);
  assert.ok(Math.abs(made.macroF1.mean - (0.8 + 0.6 + 0.8) / 3) < 1e-12);
  assert.ok(Math.abs((made.lost.int8?.mean ?? NaN) - 0.2 / 3) < 1e-12);
  assert.deepEqual([made.lost.bf16?.mean, made.latencyNs, made.seconds], [0, 200, 2]);
  assert.ok(Math.abs((made.ece?.mean ?? NaN) - 0.1) < 1e-12);
  const stiff = { ...run(1, good), rounded: [good, null, null] };
  assert.deepEqual(rowOf(group, "mlp", [stiff]).lost, {}, "a network that runs in f32 only loses nothing and gains nothing");
});

test("a verdict counts horizons won against every rival, both spreads taken off", () => {
  const rows = [
    row("mine", 10, 0.50, 0.01), row("a", 10, 0.47, 0.01), row("b", 10, 0.48, 0),
    row("mine", 20, 0.50, 0.01), row("a", 20, 0.48, 0.01), row("b", 20, 0.40, 0),
    row("mine", 50, 0.50, 0.01), row("a", 50, 0.47, 0.01), row("b", 50, 0.51, 0),
  ];
  assert.deepEqual(verdicts(rows, "mine", ["a", "b"]), [{ labels: "exact", network: "mine", rivals: ["a", "b"], won: [10], horizons: [10, 20, 50] }]);
  assert.deepEqual(verdicts(rows, "mine", ["a", "absent"])[0]?.rivals, ["a"]);
  assert.deepEqual(verdicts(rows, "mine", ["absent"]), []);
  assert.deepEqual(verdicts(rows, "absent", ["a"]), []);
});

test("a file that is no comparison's is refused by name and left alone", () => {
  const file = join(folder, "foreign.json");
  for (const text of ["a text", "{}", '{"runs":[{"key":1}]}', '{"runs":[']) {
    writeFileSync(file, text);
    assert.throws(() => new Ledger(file), /foreign\.json: not the results of a comparison/);
    assert.equal(readFileSync(file, "utf8"), text);
  }
  assert.deepEqual(new Ledger(join(folder, "absent.json")).runs(), []);
});

test("what is kept comes back, whole", () => {
  const file = join(folder, "kept.json");
  const ledger = new Ledger(file);
  ledger.add(run(1, good));
  ledger.write({ capture: "x" });
  assert.deepEqual(new Ledger(file).get("1"), run(1, good));
  assert.equal(new Ledger(file).get("2"), undefined);
  assert.ok(!existsSync(`${file}.partial`));
});

test("a comparison that was broken off repeats nothing and ends with the same rows", { skip }, async () => {
  const capture = shortened(CAPTURE, 0.1, join(folder, "GOOG.pcap"));
  const preset = { ...loadPreset(join(ROOT, "ops/models/accuracy.yaml")), train: 0.7, until: 1, horizons: [20], labels: ["exact" as const], seeds: [1, 2], networks: { logistic: { epochs: 1 }, mlp: { epochs: 1, hidden: [8] } } };
  const plain = (rows: readonly Row[]): unknown => rows.map((each) => ({ ...each, latencyNs: 0, seconds: 0 }));
  const all = async (ledger: Ledger, given = preset, after = Infinity): Promise<Row[]> => {
    const rows: Row[] = [];
    let trained = 0;
    const report = ({ rows: moved }: { rows: number }): void => {
      if (moved > 0 && ledger.runs().length >= after) throw new Error("broken off");
      trained += moved;
    };
    for await (const part of compare({ capture, preset: given, jobs: 1, ledger }, report)) rows.push(...part);
    assert.equal(trained > 0, ledger.runs().length > after || after === Infinity);
    return rows;
  };
  const file = join(folder, "cut.json");
  await assert.rejects(all(new Ledger(file), preset, 1), /broken off/);
  assert.equal(new Ledger(file).runs().length, 1);
  const [whole, resumed] = [await all(new Ledger()), await all(new Ledger(file))];
  assert.deepEqual(plain(resumed), plain(whole));
  assert.equal(new Ledger(file).runs().length, 4);
  // Other settings, other rows, other labels: nothing is taken for what it is not.
  for (const other of [{ ...preset, networks: { logistic: { epochs: 2 } } }, { ...preset, train: 0.71 }, { ...preset, labels: ["smoothed" as const] }, { ...preset, seeds: [3] }]) {
    const ledger = new Ledger(file);
    await all(ledger, { ...other, networks: { logistic: { ...other.networks.logistic } } } as typeof preset);
    assert.ok(ledger.runs().length > 4);
  }
});
