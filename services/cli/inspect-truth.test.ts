/**
 * Goal: what `tickline inspect` prints for real order flow equals the order-book files at every truth point, and its gaps are the
 * manifest's.
 * Method: the real command as a child process; every printed row that the truth speaks of is compared number by number, and counted.
 * The data is not part of the project: without it (TICKLINE_DATA, else ../shared/data) the tests are skipped, and say so.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { absent, recorded } from "../../test/data.ts";
import { run, type Ended } from "./command-rig.ts";

const [ITCH, CONFORMANCE] = [recorded("itch"), recorded("conformance")];
const skip = absent(ITCH, CONFORMANCE);

function inspect(...args: string[]): Ended {
  const ended = run(["inspect", ...args]);
  assert.equal(ended.code, 0, ended.err);
  return ended;
}

function unzipped(name: string): string {
  return gunzipSync(readFileSync(join(ITCH, name))).toString();
}

/** Printed rows by sequence number, without it. */
function rows(...args: string[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const line of inspect(...args, "--csv").out.split("\n")) {
    const comma = line.indexOf(",");
    if (comma > 0) found.set(Number(line.slice(0, comma)), line.slice(comma + 1));
  }
  return found;
}

interface Truth {
  readonly levels: number;
  readonly first_row: number;
  readonly seq: (number | null)[];
}

/** A row of the order-book file as we print it: an empty level is 9999999999 or -9999999999 there, 0 here. */
function printed(row: string): string {
  return row.trim().replaceAll(/-?9999999999\b/g, "0");
}

/** Truth points and those at which the printed row is the file's. */
function compare(capture: string, symbol: string): { points: number; equal: number; rows: number; levels: number } {
  const truth = (JSON.parse(unzipped(`${capture}.truth.json.gz`)) as { books: Record<string, Truth> }).books[symbol]!;
  const book = unzipped(`${symbol}.orderbook.csv.gz`).split("\n");
  const found = rows(join(ITCH, `${capture}.pcap.gz`), "--book", symbol, "--levels", String(truth.levels));
  let [points, equal] = [0, 0];
  truth.seq.forEach((sequence, nth) => {
    if (sequence === null) return;
    points += 1;
    if (found.get(sequence) === printed(book[truth.first_row + nth]!)) equal += 1;
  });
  return { points, equal, rows: found.size, levels: truth.levels };
}

test("GOOG, ten levels: every truth point", { skip }, () => {
  assert.deepEqual(compare("GOOG", "GOOG"), { points: 143_181, equal: 143_181, rows: 156_269, levels: 10 });
});

test("AMZN, five levels: every truth point", { skip }, () => {
  const { points, equal, levels } = compare("AMZN", "AMZN");
  assert.deepEqual([points, equal, levels], [151_932, 151_932, 5]);
});

test("the burst, after its snapshot: every truth point of the symbols whose order-book file there is", { skip }, () => {
  const counts = ["AMZN", "GOOG"].map((symbol) => compare("burst", symbol)).map(({ points, equal }) => [points, equal]);
  assert.deepEqual(counts, [[8, 8], [1_505, 1_505]]);
});

test("two lossy lines: the manifest's five gaps exactly, in the counts and beside the rows", { skip }, () => {
  const capture = join(ITCH, "GOOG.ab.pcap.gz");
  const manifest = JSON.parse(readFileSync(join(ITCH, "manifest.json"), "utf8"));
  const listed = manifest.captures["GOOG.ab.pcap.gz"].double_losses.map((loss: { first_seq: number; messages: number }) => [loss.first_seq, loss.messages]);
  const found = JSON.parse(inspect(capture, "--json").out);
  assert.deepEqual(found.gaps.map((gap: { first: number; count: number }) => [gap.first, gap.count]), listed);
  assert.deepEqual([listed.length, found.losses, found.messages], [5, 6, 156_269]);

  const run = inspect(capture, "--book", "GOOG", "--levels", "10", "--csv");
  const told = [...run.err.matchAll(/gap: (\d+) messages from (\d+) were lost/g)].map(([, count, first]) => [Number(first), Number(count)]);
  assert.deepEqual(told, listed);
  const sequences = new Set(run.out.trimEnd().split("\n").map((line) => Number.parseInt(line, 10)));
  const missing = [...rows(join(ITCH, "GOOG.pcap.gz"), "--book", "GOOG").keys()].filter((sequence) => !sequences.has(sequence));
  assert.deepEqual(missing, listed.flatMap(([first, count]: [number, number]) => Array.from({ length: count }, (_, nth) => first + nth)));
});

test("two lossy lines with the gaps filled: row for row the books of the line without loss", { skip }, () => {
  const single = inspect(join(ITCH, "GOOG.pcap.gz"), "--book", "GOOG", "--levels", "10", "--csv");
  const filled = inspect(join(ITCH, "GOOG.ab.pcap.gz"), "--book", "GOOG", "--levels", "10", "--csv", "--fill", join(ITCH, "GOOG.pcap.gz"));
  assert.equal(filled.err, "");
  assert.ok(filled.out === single.out, "rows differ");
});

test("conformance captures: --messages prints a decoded line for every packet; as text the same fields", { skip }, () => {
  let lines = 0;
  for (const folder of ["nasdaq-itch-5.0", "nasdaq-ouch-5.0"]) {
    for (const file of readdirSync(join(CONFORMANCE, folder))) {
      const capture = join(CONFORMANCE, folder, file);
      const found = inspect(capture, "--messages", "--json").out.trimEnd().split("\n").map((line) => JSON.parse(line));
      found.forEach((line, nth) => {
        assert.ok(line.frame === nth + 1 && typeof line.name === "string", `${file}: ${JSON.stringify(line)}`);
        assert.ok(!("malformed" in line || "refused" in line || "partial" in line), `${file}: ${JSON.stringify(line)}`);
      });
      lines += found.length;
    }
  }
  assert.equal(lines, 77);
  const order = inspect(join(CONFORMANCE, "nasdaq-ouch-5.0", "EnterOrderMessage.pcap"), "--messages").out;
  assert.match(order, /name="Enter Order" user_ref_num=113 side=T quantity=225 symbol=CVLT price=630200 .* appendage=\[\{.*"firm":"LIME"\}\]\n$/);
});
