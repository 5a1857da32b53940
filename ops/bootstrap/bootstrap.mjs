// The one way in: `npm start`, `npm test` and `node ops/bootstrap/bootstrap.mjs prepare` on a machine that has only
// Node 20+, npm, cargo and a C linker. Plain JavaScript, because the pinned Node that can run TypeScript arrives here.
// Modes: start (set up, then run the demo line), test (set up, then every check; --long: for longer), prepare (set up only), addon (build the addon only),
// programs NAME... (build native programs, saying nothing unless it fails).
// Exit codes: those of `tickline`; 2 when a tool is missing, too old, or a set-up step fails.
import { startLine } from "./start.mjs";
import { buildPrograms } from "./programs.mjs";
import { buildNative, installPackages, installPeers, pinnedNode } from "./setup.mjs";
import { checkTools } from "./tools.mjs";
import { runChecks } from "./checks.mjs";
import { SetupError, say } from "./say.mjs";

const modes = {
  async start(rest) {
    checkTools({ lints: false });
    await installPackages();
    await buildNative();
    return startLine(pinnedNode(), rest);
  },
  async test(rest) {
    const long = rest.length === 1 && rest[0] === "--long";
    if (rest.length > 0 && !long) throw new SetupError(`npm test knows no ${rest.join(" ")}: it takes nothing, or --long (npm run test:long).`);
    checkTools({ lints: true });
    await installPackages();
    await buildNative();
    await installPeers();
    return runChecks(pinnedNode(), { long });
  },
  async prepare() {
    checkTools({ lints: false });
    await installPackages();
    await buildNative();
    say("ready", "npx tickline --help");
    return 0;
  },
  async addon() {
    await buildNative();
    return 0;
  },
  async programs(names) {
    await buildPrograms(names, { quiet: true });
    return 0;
  },
};

const [mode = "", ...rest] = process.argv.slice(2);
const chosen = Object.hasOwn(modes, mode) ? modes[mode] : undefined;
if (chosen === undefined) {
  process.stderr.write(`usage: node ops/bootstrap/bootstrap.mjs ${Object.keys(modes).join("|")}\n`);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await chosen(rest);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
