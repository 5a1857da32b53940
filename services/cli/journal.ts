/** `tickline journal`: what journals hold, whether they are whole, and their frames as a capture. The reading is Rust (`crates/journal`). */
import { Command } from "commander";
import { Exit } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { wrap } from "./columns.ts";
import { checkText, infoText, type JournalInfo } from "./journal-table.ts";
import { stated } from "./native-refusal.ts";

interface JournalFlags {
  readonly json?: true;
}

interface ExportFlags extends JournalFlags {
  readonly pcap: string;
}

const JOURNAL = "a journal's folder, or one of its segments";

/** The verb with its own verbs. */
export function journalCommand(): Command {
  const journal = new Command("journal").description("what a line has recorded: runs, gaps, damage; its frames as a capture");
  for (const verb of [infoCommand(), checkCommand(), exportCommand()]) {
    journal.addCommand(verb.exitOverride().showHelpAfterError(`(tickline journal ${verb.name()} --help shows the usage)`));
  }
  return journal.addHelpText("after", "\nA journal is a capture too: inspect, replay and model train take its folder, or\nFOLDER@RUN where it holds several runs.\n");
}

function infoCommand(): Command {
  return new Command("info")
    .description("runs, segments, entries by kind, time span, what the recorder missed, torn tail")
    .argument("<journal>", JOURNAL)
    .option("--json", "JSON instead of tables")
    .addHelpText("after", "\nExample:\n  npx tickline journal info .run/journal\n\nExit codes: 0 done, 2 no journal, or a damaged one.\n")
    .action(info);
}

function checkCommand(): Command {
  return new Command("check")
    .description("read every entry and its checksum")
    .argument("<journal>", JOURNAL)
    .option("--json", "JSON instead of a sentence")
    .addHelpText("after", `
A torn tail, which a recorder leaves that was killed, is reported and no damage:
what came before it is whole. Gaps that the recorder declared are reported too.

Example:
  npx tickline journal check .run/journal

Exit codes: 0 whole, 1 damaged, 2 no journal.
`)
    .action(check);
}

function exportCommand(): Command {
  return new Command("export")
    .description("write the frames to a pcap of nanoseconds")
    .argument("<journal>", `${JOURNAL}, or FOLDER@RUN`)
    .requiredOption("--pcap <file>", "the pcap; it must not exist")
    .option("--json", "JSON instead of a sentence")
    .addHelpText("after", `
Ethernet, IPv4 and UDP are put around the frames, addressed as the lines were.
Answers to re-requests keep the server's address.

Example:
  npx tickline journal export .run/journal --pcap day.pcap

Exit codes: 0 done, 2 no journal, a damaged one, several runs, or a file that cannot be written.
`)
    .action(exportFrames);
}

/** Calls native code; its error is one of the journal's. */
function door<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw stated(error, (code) => (code === "OUTPUT" ? "TL_USAGE" : "TL_JOURNAL"));
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.flatMap((line) => wrap(line, process.stdout.columns ?? Infinity)).join("\n")}\n`);
}

function info(journal: string, flags: JournalFlags): void {
  const found = JSON.parse(door(() => native.journalInfo(journal))) as JournalInfo;
  if (flags.json) print([JSON.stringify(found, null, 2)]);
  else process.stdout.write(`${infoText(found, process.stdout.columns ?? Infinity).join("\n")}\n`);
}

/** Damage in a journal that can be opened fails the check; a path that is no journal is the caller's mistake. */
function check(journal: string, flags: JournalFlags): void {
  let text: string;
  try {
    text = native.journalInfo(journal);
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    const [, code, sentence] = /^(JOURNAL_DAMAGED|JOURNAL_MISSING): (.*)$/s.exec(message) ?? [];
    if (sentence === undefined) throw stated(error, () => "TL_JOURNAL");
    if (flags.json) print([JSON.stringify({ journal, whole: false, code, damage: sentence }, null, 2)]);
    else print([sentence]);
    process.exitCode = Exit.Gate;
    return;
  }
  const found = JSON.parse(text) as JournalInfo;
  if (flags.json) print([JSON.stringify({ journal, whole: true, entries: found.entries, torn: found.torn }, null, 2)]);
  else print(checkText(found));
}

function exportFrames(journal: string, flags: ExportFlags): void {
  const frames = door(() => native.journalExport(journal, flags.pcap));
  print([flags.json ? JSON.stringify({ journal, pcap: flags.pcap, frames }, null, 2) : `${frames} frames written to ${flags.pcap}`]);
}
