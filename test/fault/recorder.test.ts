// Goal: a live line is recorded as it was: what was asked for again is in its journal, and the journal gives the line's own books; the recorder's
// death is no matter of the line, and a journal that cannot be written is one sentence at the start. Method: the real command on a line of its own.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { JournalInfo } from "../../services/cli/journal-table.ts";
import { openControl } from "../../services/cli/open-line.ts";
import { native } from "../../services/kit/native.ts";
import { runDirOf } from "../../services/kit/segments.ts";
import { snapshot } from "../../services/supervisor/snapshot.ts";
import { Command } from "./command.ts";
import { lineOfTests, testLine } from "./line-file.ts";

const folder = mkdtempSync(join(tmpdir(), "recorder-"));
const journal = join(folder, "journal");
const line = lineOfTests((document) => {
  Object.assign(document, { recorder: { dir: journal, sync: "never", segment_mb: 1 } });
});
after(() => { rmSync(folder, { recursive: true, force: true }); });

/** The books' hash that the feed wrote at its end, and the journal's counts. */
interface FeedSummary {
  readonly book_hash: string;
  readonly frames: number;
}

test("live: feed and recorder are killed, the line goes on, and its journal has every frame and gives the same books", async () => {
  const report = join(folder, "run.json");
  const command = new Command("run", line.file, "--no-rehearse", "--json", report);
  await command.until("running line", () => command.out.includes("orders may pass"));
  const control = openControl(line.name, false);
  const counted = (service: string, counter: "frames" | "resyncs"): number => snapshot(control, runDirOf(line.name)).services.find(({ name }) => name === service)?.counters[counter] ?? 0;
  const frames = (): number => counted("recorder", "frames");
  await command.until("frames in the journal", () => frames() > 500);
  const epoch = control.line.epoch();
  process.kill(command.pidOf("recorder"), "SIGKILL");
  await command.until("restart of the recorder", () => command.out.includes("restarted recorder in"));
  assert.deepEqual([control.line.armed(), control.line.epoch()], [true, epoch], "its death disarms nothing");
  const before = counted("feed", "resyncs");
  process.kill(command.pidOf("feed"), "SIGKILL");
  await command.until("restart of the feed", () => command.count("orders may pass") === 2);
  await command.until("all that the new feed has asked for", () => counted("feed", "resyncs") > before);
  command.child.kill("SIGTERM");
  assert.equal(await command.ended, 130, command.err);
  assert.match(command.out, new RegExp(`journal ${journal}: [\\d,]+ entries, nothing missed`));

  const { runs: [run, ...others], torn } = JSON.parse(native.journalInfo(journal)) as JournalInfo;
  assert.deepEqual([others, torn, run?.gaps, run?.restarts, run?.replay], [[], null, [], 1, false]);
  assert.ok((run?.epochs?.[1] ?? 0) > epoch, "the new epoch is in the journal");
  const feed = (JSON.parse(readFileSync(report, "utf8")) as { summaries: { feed: FeedSummary } }).summaries.feed;
  const counts = JSON.parse(native.inspectSummary(journal, undefined, true)) as { gaps: unknown[]; packets: number; anomalies: number };
  assert.deepEqual([counts.gaps, counts.anomalies, counts.packets], [[], 0, run?.kinds["frame"]?.entries], "what the feed missed while it was down was asked for again, and is there");
  assert.equal(booksOf(journal), feed.book_hash);
});

/** Hash of all books at the end of a capture, as the feed makes it. */
function booksOf(path: string): string {
  const feed = native.Feed.create(JSON.stringify({ instruments: ["TLKA"], source: { kind: "pcap", path, speed: "max" } }));
  const poll = feed.poller();
  while (!feed.ended) poll(1000, 0xffffffff, 0xffffffff);
  return feed.bookHash();
}

test("a journal that cannot be written is a failure to start, in one sentence", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "no folder");
  const wrong = testLine((document) => {
    Object.assign(document, { recorder: { dir: join(file, "journal") } });
  });
  try {
    const command = new Command("run", wrong.file, "--no-rehearse");
    assert.equal(await command.ended, 3);
    assert.match(command.out + command.err, /journal: cannot be written \(not a directory\); check the disk, or name another folder under recorder\.dir/);
  } finally {
    wrong.remove();
  }
});
