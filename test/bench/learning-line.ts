/**
 * The line of the learning benchmark, as a process of its own: `node test/bench/learning-line.ts LINE.yaml CAPTURE`. A replay at the pace of the
 * capture, rehearsed and fused as `tickline replay` runs it, but with its learner beside it as live. Says `armed` once orders may pass; SIGTERM ends it, and so does the end of its parent.
 */
import { loadLine } from "../../services/kit/config.ts";
import { runLine } from "../../services/supervisor/run-line.ts";

const [file = "", path = ""] = process.argv.slice(2);
const { config } = loadLine(file);
const parent = process.ppid;
let stop = false;
process.on("SIGTERM", () => { stop = true; });
const { outcome } = await runLine({
  config: { ...config, venue: { ...config.venue, flow: { kind: "capture", path } }, feed: { ...config.feed, source: { kind: "pcap", path, speed: 1 } } },
  placement: "fused",
  replay: true,
  learnerApart: true,
  rehearse: true,
  instruments: config.instruments.length,
  // Nobody would stop it, or let the learner go on, if the benchmark were gone.
  stopWanted: () => stop || process.ppid !== parent,
  onEvent: ({ kind }) => { process.stdout.write(`${kind}\n`); },
  onLine: () => {},
  say: () => {},
  onControl: () => {},
});
if (outcome.kind === "failed-to-start" || outcome.kind === "gave-up") {
  process.stderr.write(`${outcome.cause}\n`);
  process.exitCode = 1;
}
