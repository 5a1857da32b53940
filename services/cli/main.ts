/** The `tickline` command: registers the verbs and turns every outcome into its exit code. */
import { Command, CommanderError } from "commander";
import { exitCodeOf, report } from "./failure.ts";

const EXIT_CODES = `
Exit codes:
  0    done
  1    a gate or check failed
  2    usage, configuration or input error
  3    the line gave up: restart intensity or start-up failure
  4    internal error, a bug in Tickline
  130  interrupted, after a clean stop

Examples:
  npx tickline run ops/lines/demo.yaml --seconds 60
  npx tickline status demo --watch
  npx tickline bench ring --json ring.json
`;

async function program(): Promise<Command> {
  // Loaded here, not above: the verbs load the addon, and its absence must end like every other error.
  const { verbs } = await import("./verbs.ts");
  const tickline = new Command("tickline")
    .description("A trading line: exchange packets in, orders out.")
    .version("0.1.0")
    .showHelpAfterError("(add --help for the usage)")
    .addHelpText("after", EXIT_CODES)
    .exitOverride();
  for (const verb of verbs()) tickline.addCommand(verb);
  // Verbs do not inherit these from the program.
  for (const verb of tickline.commands) verb.exitOverride().showHelpAfterError(`(tickline ${verb.name()} --help shows the usage)`);
  return tickline;
}

try {
  await (await program()).parseAsync(process.argv);
} catch (error) {
  // Commander has already said what is wrong; its own exit code for usage errors is 1, ours is 2.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    report(error);
    process.exitCode = exitCodeOf(error);
  }
}
