// @hot
/**
 * Looks at shared words and publications into them, in order: a `look` is not overtaken by later reads, a `publish` not by earlier reads
 * and writes. Invariant O1 of `crates/ring/README.md` says why.
 *
 * V8 compiles `Atomics.load` and `Atomics.store` to calls of a builtin, 7 to 12 ns each, and the store to a locked instruction; a typed
 * array's element is one move. Where the machine itself keeps loads in order and stores in order (x86-64), the move is enough. It is no
 * full barrier: a store here may still be overtaken by a later load of another word. Who needs that takes `barrier`.
 */

/** True where moves are enough. Not exported: V8 folds a module's own constants into the code, and loads those that it imports. */
const ORDERED = process.arch === "x64";

/** Reads the word at an index; nothing read later is older than it. */
export function look(words: Int32Array, at: number): number {
  return ORDERED ? (words[at] as number) : Atomics.load(words, at);
}

/** Writes the word at an index; who sees it sees everything written before it. */
export function publish(words: Int32Array, at: number, value: number): void {
  if (ORDERED) words[at] = value;
  else Atomics.store(words, at, value);
}

/** Writes the word at an index; who sees anything written later sees it. */
export function mark(words: Int32Array, at: number, value: number): void {
  if (ORDERED) words[at] = value;
  else Atomics.exchange(words, at, value);
}

/** Nothing read later is older than what was read before. `own` is a word of the caller's own. */
export function settle(own: Int32Array): void {
  if (!ORDERED) Atomics.add(own, 0, 0);
}

/** Everything written before is seen by all before anything is read later: the full barrier. `own` is a word of the caller's own. */
export function barrier(own: Int32Array): void {
  Atomics.add(own, 0, 0);
}

/**
 * Between two looks of a caller that spins: fewer looks are under way when the word changes, and the writer keeps the line while it stores.
 * Cost: 20-50 ns; between distant cores a round trip is 80 ns shorter with it.
 */
export function pause(): void {
  Atomics.pause();
}
