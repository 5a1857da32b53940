/** The run's folder: one per line on a host, held by a lock that the kernel releases when its holder dies. */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, readdirSync, rmdirSync, rmSync, statSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { TicklineError } from "../kit/errors.ts";

/** What is outside: the lock call of the addon, and what a person should be told. */
export interface RunDirDoors {
  /** Takes the exclusive lock of an open descriptor without waiting; false when another process has it. */
  readonly lock: (descriptor: number) => boolean;
  readonly say: (sentence: string) => void;
  /** The time of day, for whoever finds the lock taken. */
  readonly nowText: () => string;
}

/** A folder that is ours until `close`. */
export class RunDir {
  readonly path: string;
  readonly #lockPath: string;
  readonly #descriptor: number;

  private constructor(path: string, lockPath: string, descriptor: number) {
    this.path = path;
    this.#lockPath = lockPath;
    this.#descriptor = descriptor;
  }

  /**
   * Takes the folder `path` for this process, empty. What a dead run left there is ended and removed, with one sentence.
   * @throws TicklineError TL_LINE_BUSY, naming the holder, while another run lives
   */
  static take(path: string, doors: RunDirDoors): RunDir {
    const lockPath = `${path}.lock`;
    mkdirSync(dirname(path), { recursive: true });
    const descriptor = takeLock(path, lockPath, doors);
    const left = endLeftovers(path);
    if (isFolder(path)) {
      rmSync(path, { recursive: true });
      doors.say(`removed ${path}, left by a run that died${left > 0 ? `, and ended ${left} of its processes` : ""}`);
    }
    mkdirSync(path);
    ftruncateSync(descriptor);
    writeSync(descriptor, `process ${process.pid}, since ${doors.nowText()}`, 0);
    return new RunDir(path, lockPath, descriptor);
  }

  /** Removes the folder and gives the lock back. */
  close(): void {
    rmSync(this.path, { recursive: true, force: true });
    // Unlinked while still held: whoever opened it before finds that its file is no longer the one at the path.
    unlinkSync(this.#lockPath);
    closeSync(this.#descriptor);
    try {
      rmdirSync(dirname(this.path));
    } catch {
      // Another line's folder is in it.
    }
  }
}

function takeLock(path: string, lockPath: string, doors: RunDirDoors): number {
  for (;;) {
    const descriptor = openSync(lockPath, "a+");
    if (!doors.lock(descriptor)) {
      const holder = readFileSync(lockPath, "utf8");
      closeSync(descriptor);
      throw new TicklineError("TL_LINE_BUSY", `a line is already running in ${path} (${holder === "" ? "just starting" : holder}): stop it first, or give this one another name`);
    }
    if (isSameFile(descriptor, lockPath)) return descriptor;
    closeSync(descriptor);
  }
}

function isSameFile(descriptor: number, path: string): boolean {
  try {
    return fstatSync(descriptor).ino === statSync(path).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Kills processes whose command line names a file in `path`: we hold its lock, so they belong to a run whose supervisor is dead. */
function endLeftovers(path: string): number {
  let ended = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    let words: string[];
    try {
      words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
    } catch {
      continue; // It ended meanwhile.
    }
    if (!words.some((word, i) => (word === path || word.startsWith(`${path}/`)) && ["--run-dir", "--control"].includes(words[i - 1] ?? ""))) continue;
    try {
      process.kill(Number(name), "SIGKILL");
      ended += 1;
    } catch {
      // It ended meanwhile.
    }
  }
  return ended;
}
