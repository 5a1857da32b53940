/** Doors to the world, each owned by one room: atomics, time, Node-API, environment, sockets, output. */
import { withoutTests } from "./hot.ts";
import { findAll, isTest, lineAt, type Finding, type SourceFile } from "./tree.ts";

interface Door {
  readonly name: string;
  readonly extension: ".rs" | ".ts";
  readonly pattern: RegExp;
  /** What to use instead. */
  readonly instead: string;
  /** Rooms, folders or files that may, each with its reason. */
  readonly except: ReadonlyMap<string, string>;
  /** True when tests may too. */
  readonly tests: boolean;
}

/** Stages: pure code that owns no door at all. */
const STAGES = ["packet", "journal", "book", "features", "model", "gate", "order", "venue", "pipeline", "units", "wire"].map((name) => `crates/${name}/src/`);

const DOORS: readonly Door[] = [
  {
    name: "atomics in Rust",
    extension: ".rs",
    pattern: /\bAtomic(?:Bool|Ptr|[UI]\w+)\b|\bsync::atomic\b|\bfence\(/g,
    instead: "only crates/ring names atomics; use a channel, the control block or a latest value",
    except: new Map([
      ["crates/ring/", "the room of atomics"],
      ["test/bench/src/", "the floor that the ring is measured against"],
    ]),
    tests: true,
  },
  {
    name: "atomics in TypeScript",
    extension: ".ts",
    pattern: /\bAtomics\b|\bSharedArrayBuffer\b/g,
    instead: "only services/kit/ring uses Atomics; use an Inlet, an Outlet or a control block",
    except: new Map([["services/kit/ring/", "the room of atomics"]]),
    tests: true,
  },
  {
    name: "time in Rust",
    extension: ".rs",
    pattern: /\bSystemTime\b|\bInstant\b|\bclock_gettime\b/g,
    instead: "time is an argument; at the edges call tickline_clock",
    except: new Map([["crates/clock/", "the reader of time"]]),
    tests: true,
  },
  {
    name: "time in TypeScript",
    extension: ".ts",
    pattern: /\bDate\b|\bperformance\s*\.|\bhrtime\b/g,
    instead: "time is an argument; at the edges use services/kit/clock.ts",
    except: new Map([["services/kit/clock.ts", "the reader of time"]]),
    tests: true,
  },
  {
    name: "randomness in TypeScript",
    extension: ".ts",
    pattern: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b/g,
    instead: "randomness is an argument: a generator seeded from the configuration",
    except: new Map(),
    tests: true,
  },
  {
    name: "randomness in Rust",
    extension: ".rs",
    pattern: /\brand::|\bgetrandom\b|\bthread_rng\b/g,
    instead: "randomness is an argument: a generator seeded from the configuration",
    except: new Map(),
    tests: true,
  },
  {
    name: "Node-API",
    extension: ".rs",
    pattern: /\bnapi(?:_derive)?::|#\[napi/g,
    instead: "only crates/addon knows Node-API; return a plain value and let a door there wrap it",
    except: new Map([["crates/addon/", "the doors"]]),
    tests: false,
  },
  {
    name: "errors without a code",
    extension: ".ts",
    pattern: /\bnew (?:Type|Range)?Error\(|\bextends Error\b/g,
    instead: "throw a TicklineError with a code of services/kit/errors.ts",
    except: new Map([
      ["services/kit/errors.ts", "the list of codes"],
      ["services/inference/strategies/", "a user's module: inference wraps what it throws in TL_STRATEGY"],
      ["schemas/", "the generator: its reader is the person who edits a schema"],
    ]),
    tests: true,
  },
  {
    name: "the addon",
    extension: ".ts",
    pattern: /\bcreateRequire\b|\bprocess\.dlopen\b/g,
    instead: "only services/kit/native.ts loads the addon",
    except: new Map([
      ["services/kit/native.ts", "the one place that loads it"],
      ["services/inference/load-strategy.ts", "loads the strategy module that a line names"],
      ["services/interchange/peers.ts", "loads other engines from ops/peers, where they are installed"],
    ]),
    tests: false,
  },
];

const STAGE_BANS: readonly [RegExp, string][] = [
  [/\bstd::net\b|\bUdpSocket\b|\bTcpStream\b|\blibc::socket\b|\blibc::recv\w*/g, "a stage knows no socket; bytes are arguments"],
  [/\be?print(?:ln)?!/g, "a stage has no log; count or return it"],
  [/\bstd::env\b|\benv::var/g, "a stage reads no environment; it is an argument"],
  [/\bstd::fs\b|\bFile::open\b/g, "a stage opens no file; bytes are arguments"],
  [/\bstd::thread\b|\bthread::spawn\b/g, "a stage starts no thread"],
];

/** The thin edges that a stage's room may hold. */
const EDGES = new Map([
  ["crates/packet/src/socket", "the frame source that is a socket"],
  ["crates/packet/src/pcap", "the frame source that is a file"],
  ["crates/packet/src/journal", "the frame source that is a journal"],
  ["crates/journal/src/folder", "lists a journal's files"],
  ["crates/journal/src/place", "looks what a path names"],
  ["crates/journal/src/reader", "reads a journal's files"],
  ["crates/journal/src/writer", "writes a journal's files"],
  ["crates/packet/src/gzip", "reads a capture's bytes"],
  ["crates/packet/src/input", "opens a capture"],
  ["crates/packet/src/rerequest.rs", "asks for lost packets over UDP"],
  ["crates/model/src/file.rs", "reads and writes model files"],
  ["crates/model/src/bin/", "a command"],
]);

/** Services that are agents: what they need comes in their context. */
const AGENTS = ["feed", "inference", "risk", "execution", "learner", "recorder"].map((name) => `services/${name}/`);

const AGENT_BANS: readonly [RegExp, string][] = [
  [/\bprocess\.env\b/g, "a service reads no environment; use its configuration"],
  [/\bprocess\.exit\b/g, "a service does not end its process; throw a TicklineError where it starts"],
  [/\bconsole\b/g, "use context.log in control code"],
];

function excepted(path: string, rooms: Iterable<string>): boolean {
  return [...rooms].some((room) => path.startsWith(room));
}

/** Findings of one file at every door. */
export function doors(file: SourceFile): Finding[] {
  if (file.generated) return [];
  const found: Finding[] = [];
  const test = isTest(file.path);
  const body = file.path.endsWith(".rs") ? withoutTests(file.code) : file.code;
  for (const door of DOORS) {
    if (!file.path.endsWith(door.extension) || excepted(file.path, door.except.keys()) || (door.tests && test)) continue;
    found.push(...findAll(file, body, door.pattern, door.instead));
  }
  if (excepted(file.path, STAGES) && !excepted(file.path, EDGES.keys())) {
    for (const [pattern, says] of STAGE_BANS) found.push(...findAll(file, body, pattern, says));
  }
  if (excepted(file.path, AGENTS) && !test && file.path.endsWith(".ts")) {
    for (const [pattern, says] of AGENT_BANS) found.push(...findAll(file, body, pattern, says));
  }
  return found;
}

/** Rust rooms that need unsafe code; every other crate forbids it. */
const UNSAFE = new Map([
  ["addon", "hands memory to JavaScript"],
  ["ring", "maps and shares memory"],
  ["clock", "calls clock_gettime"],
  ["packet", "calls recvmmsg"],
  ["model", "vector instructions"],
  ["weights", "lends shared memory to the engine"],
  ["exchange", "socket options and signals"],
  ["port", "socket options"],
  ["trials", "is the allocator of tests that count allocations"],
]);

/** A crate's root file forbids unsafe code unless its room is listed. */
export function forbidsUnsafe(file: SourceFile): Finding[] {
  const crate = /^crates\/([^/]+)\/src\/(?:lib|main)\.rs$/.exec(file.path)?.[1];
  if (crate === undefined || UNSAFE.has(crate) || /#!\[forbid\(unsafe_code\)\]/.test(file.code)) return [];
  return [{ path: file.path, line: 1, says: "add #![forbid(unsafe_code)]; only rooms listed in test/tidy/doors.ts may do without" }];
}

/** An invariant that a SAFETY comment cites (I1, L2) is stated at the top of some file of its crate. */
export function citedInvariants(files: readonly SourceFile[]): Finding[] {
  const stated = new Map<string, Set<string>>();
  const crateOf = (file: SourceFile): string | undefined => /^crates\/([^/]+)\/src\/.*\.rs$/.exec(file.path)?.[1];
  for (const file of files) {
    const crate = crateOf(file);
    if (crate === undefined) continue;
    const known = stated.get(crate) ?? new Set();
    for (const match of file.text.matchAll(/^\/\/! (?:[-*] |Invariant )?([A-Z]\d)[.:]/gm)) known.add(match[1] ?? "");
    stated.set(crate, known);
  }
  return files.flatMap((file) => {
    const crate = crateOf(file);
    if (crate === undefined || file.generated) return [];
    return [...file.text.matchAll(/SAFETY:[^;.]*?\b([A-Z]\d)\b(?:(?:, | and )([A-Z]\d)\b)*/g)].flatMap((match) =>
      [...match[0].matchAll(/\b[A-Z]\d\b/g)]
        .filter(([name]) => !(stated.get(crate)?.has(name) ?? false))
        .map(([name]) => ({ path: file.path, line: lineAt(file.text, match.index), says: `${name}: state it as "//! - ${name}: ..." at the top of a file of crates/${crate}` })),
    );
  });
}

/** Every error code is thrown or reported somewhere; `codes` are those of services/kit/errors.ts. */
export function unusedCodes(files: readonly SourceFile[], codes: readonly string[]): Finding[] {
  const users = files.filter((file) => /^services\/.*\.ts$/.test(file.path) && file.path !== "services/kit/errors.ts" && !isTest(file.path));
  return codes
    .filter((code) => !users.some((file) => file.text.includes(`"${code}"`)))
    .map((code) => ({ path: "services/kit/errors.ts", line: 0, says: `${code}: nobody throws it: use it or delete it` }));
}
