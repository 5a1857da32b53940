/**
 * Goal: a message arrives once, whole and in order over a link within one process, and a full queue refuses.
 * Method: a counting producer against each link; a model queue for random interleavings.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DirectLink } from "./direct-link.ts";
import { QueueLink } from "./queue-link.ts";

const prefix = (view: DataView, at: number): void => view.setUint32(at, 0xfeed, true);

test("direct: commit hands the payload to the consumer at once, prefix in place", () => {
  const seen: number[] = [];
  const link = new DirectLink(40, prefix, (view, at) => {
    assert.equal(view.getUint32(at, true), 0xfeed);
    seen.push(view.getUint32(at + 32, true));
  });
  for (let i = 0; i < 3; i++) {
    link.view.setUint32(link.claim() + 32, i, true);
    link.commit();
    assert.equal(seen.length, i + 1);
  }
  assert.deepEqual(seen, [0, 1, 2]);
  assert.equal(link.poll(() => assert.fail("nothing waits in a direct link"), 10), 0);
});

test("queue: the capacity is held, one more is refused, and room returns after a poll", () => {
  const link = new QueueLink(40, 4, prefix);
  for (let i = 0; i < 4; i++) {
    const at = link.claim();
    assert.notEqual(at, -1);
    link.view.setUint32(at + 32, i, true);
    link.commit();
  }
  assert.equal(link.claim(), -1);
  assert.equal(link.poll((view, at) => assert.equal(view.getUint32(at + 32, true), 0), 1), 1);
  assert.notEqual(link.claim(), -1);
});

test("queue: equals a list under any interleaving of sends and polls", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 6 }), { maxLength: 200 }), (steps) => {
      const link = new QueueLink(40, 8, prefix);
      const model: number[] = [];
      let next = 0;
      for (const step of steps) {
        for (let i = 0; i < step; i++) {
          const at = link.claim();
          assert.equal(at === -1, model.length === 8);
          if (at === -1) break;
          link.view.setUint32(at + 32, next, true);
          model.push(next++);
          link.commit();
        }
        if (step < 0) {
          const expected = model.splice(0, -step);
          const got: number[] = [];
          link.poll((view, at) => {
            assert.equal(view.getUint32(at, true), 0xfeed);
            got.push(view.getUint32(at + 32, true));
          }, -step);
          assert.deepEqual(got, expected);
        }
      }
    }),
  );
});
