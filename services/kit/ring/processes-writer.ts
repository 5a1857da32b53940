/** The other process of `processes.test.ts`: writes messages to a channel without pause. `node processes-writer.ts KIND PATH BYTES NUMBER` */
import { Publisher } from "./broadcast.ts";
import { Producer } from "./lossless.ts";
import { Segment } from "./segment.ts";

const [kind = "", path = "", bytes = "", number = ""] = process.argv.slice(2);
const End = kind === "lossless" ? Producer : Publisher;
const outlet = new End(Segment.open(path), new Uint8Array(Number(bytes)), 1, new Uint32Array(2));
const words = Number(bytes) / 4;

function send(n: number): void {
  let at = outlet.claim();
  while (at < 0) at = outlet.claim();
  outlet.view.setInt32(at, Number(number), true);
  outlet.view.setInt32(at + 4, n, true);
  for (let word = 2; word < words; word += 1) outlet.view.setInt32(at + 4 * word, (n + word) | 0, true);
  outlet.commit();
}

process.stdout.write("begun\n", () => {
  // Whoever started this kills it.
  for (let n = 1; ; n += 1) send(n);
});
