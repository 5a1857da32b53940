// Goal: intensity is counted over a sliding window. Method: exact times on both sides of each edge, then a slow model.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RestartWindow } from "./restart-window.ts";

test("the limit passes, one restart more in the window is refused", () => {
  const window = new RestartWindow(2, 1000);
  assert.equal(window.allow(0), true);
  assert.equal(window.allow(10), true);
  assert.equal(window.allow(20), false);
});

test("a restart one window old no longer counts, one a millisecond younger does", () => {
  const old = new RestartWindow(1, 1000);
  old.allow(0);
  assert.equal(old.allow(1000), true);
  const young = new RestartWindow(1, 1000);
  young.allow(0);
  assert.equal(young.allow(999), false);
});

test("a limit of zero allows no restart at all", () => {
  assert.equal(new RestartWindow(0, 1000).allow(5), false);
});

test("any sequence of restarts is judged as by counting the whole history", () => {
  fc.assert(fc.property(fc.nat(4), fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(30), { maxLength: 60 }), (max, span, steps) => {
    const window = new RestartWindow(max, span);
    const history: number[] = [];
    let now = 0;
    for (const step of steps) {
      now += step;
      history.push(now);
      assert.equal(window.allow(now), history.filter((at) => at > now - span).length <= max);
    }
  }));
});
