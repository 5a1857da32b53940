/**
 * Goal: the recorder's copy of a link is what the consumer got, made behind it, and a link that is full leaves none.
 * Method: both links of one process over a real ring; a consumer that looks whether the copy is there yet.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stampWords } from "../kit/clock.ts";
import { Publisher, Subscriber } from "../kit/ring/broadcast.ts";
import { createSegment, Segment } from "../kit/ring/segment.ts";
import { DirectLink } from "./direct-link.ts";
import { QueueLink } from "./queue-link.ts";
import { RecordedOutlet } from "./recorded-outlet.ts";

const BYTES = 40;
const folder = mkdtempSync(join(tmpdir(), "recorded-"));
after(() => { rmSync(folder, { recursive: true }); });
const prefix = (view: DataView, at: number): void => view.setUint32(at, 0xfeed, true);

function ring(name: string) {
  const path = join(folder, name);
  createSegment(path, { kind: "broadcast", slots: 16, payload: BYTES });
  const template = new Uint8Array(BYTES);
  prefix(new DataView(template.buffer), 0);
  return { out: new Publisher(Segment.open(path), template, 7, stampWords), copies: new Subscriber(Segment.openReadOnly(path), "next") };
}

test("direct: the consumer is called first, and the copy equals what it got", () => {
  const { out, copies } = ring("direct");
  const got: number[] = [];
  const link = new DirectLink(BYTES, prefix, (view, at) => {
    assert.equal(copies.ready(), false, "nobody on the path waits for the copy");
    got.push(view.getUint32(at + 32, true));
  });
  const outlet = new RecordedOutlet(link, out, BYTES);
  for (let i = 1; i <= 3; i++) {
    const at = outlet.claim();
    outlet.view.setUint32(at + 32, i * 11, true);
    outlet.view.setFloat64(at + 8, Number.NaN, true);
    outlet.commit();
    assert.equal(copies.poll((view, from) => {
      assert.deepEqual(new Uint8Array(view.buffer, view.byteOffset + from, BYTES), new Uint8Array(link.view.buffer, 0, BYTES));
    }, 10), 1);
  }
  assert.deepEqual(got, [11, 22, 33]);
});

test("queue: each message is copied from its own slot, a full queue copies nothing", () => {
  const { out, copies } = ring("queue");
  const link = new QueueLink(BYTES, 2, prefix);
  const outlet = new RecordedOutlet(link, out, BYTES);
  const seen: number[] = [];
  for (let i = 1; i <= 5; i++) {
    const at = outlet.claim();
    assert.equal(at < 0, i > 2);
    if (at < 0) continue;
    outlet.view.setUint32(at + 32, i, true);
    outlet.commit();
  }
  copies.poll((view, at) => { seen.push(view.getUint32(at + 32, true)); }, 10);
  assert.deepEqual(seen, [1, 2]);
});
