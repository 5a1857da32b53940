/**
 * Goal: whoever reads latencies is told when processes waited for more than their work.
 * Method: summaries of a result by hand, with and without that.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LineResult } from "../supervisor/run-line.ts";
import { summarize, summaryText } from "./summary.ts";

const WAIT = "4 processes would spin on 2 cores: they yield instead";
const hop = { count: 1, p50: 1, p90: 1, p99: 1, p999: 1, max: 1 };

function summary(wait: string, hops: object): ReturnType<typeof summarize> {
  const result = { outcome: { kind: "stopped" }, run_id: 1, seconds: 1, wait, line: { services: [{ name: "execution", hops, counters: {}, drops: 0 }], learning: null }, summaries: {} };
  return summarize(result as unknown as LineResult, { line: "demo", hash: "0", placement: "processes", interrupted: false, events: [] });
}

test("the note on waiting stands below the latencies, and nowhere without them", () => {
  assert.match(summaryText(summary(WAIT, { line: hop }), 200), /\nline .*\nnote: 4 processes would spin on 2 cores: they yield instead, so waking/);
  assert.doesNotMatch(summaryText(summary("", { line: hop }), 200), /note:/);
  assert.doesNotMatch(summaryText(summary(WAIT, {}), 200), /note:/);
  assert.equal(summary(WAIT, {}).wait, WAIT);
});
