// Reads the closing lines of the test runners: cargo test and node's spec reporter.
import { stripVTControlCharacters } from "node:util";

/** Counts nothing yet. */
export function emptyTally() {
  return { passed: 0, failed: 0, skipped: 0 };
}

/**
 * Adds what one complete output line says to `tally`. Lines that close no run add nothing.
 * cargo: `test result: ok. 12 passed; 0 failed; 1 ignored; ...`; node: `ℹ pass 5`, `ℹ fail 0`, `ℹ cancelled 0`, `ℹ skipped 1`, `ℹ todo 0`.
 */
export function tallyLine(tally, line) {
  const plain = stripVTControlCharacters(line).trim();
  const cargo = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/.exec(plain);
  if (cargo !== null) {
    tally.passed += Number(cargo[1]);
    tally.failed += Number(cargo[2]);
    tally.skipped += Number(cargo[3]);
    return;
  }
  const node = /^ℹ (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(plain);
  if (node === null) return;
  const key = { pass: "passed", fail: "failed", cancelled: "failed", skipped: "skipped", todo: "skipped" }[node[1]];
  tally[key] += Number(node[2]);
}

/** A sink for text in any chunks that tallies each complete line. */
export function tallySink(tally) {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) tallyLine(tally, line);
  };
}

/** The closing line of the whole check, in the form that continuous integration reads. */
export function closingLine(tally) {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : "";
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}
