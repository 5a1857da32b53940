/**
 * Goal: execution hands each order to the gate and each Fill back, in place and without garbage.
 * Method: the real agent over the real native port without a session (so the gate refuses every order), on real segments.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { after, test } from "node:test";
import { FILL_BYTES, FillKind, FillView, writePrefix as fillPrefix } from "../../schemas/generated/fill.ts";
import { ORDER_BYTES, OrderView, writePrefix as orderPrefix } from "../../schemas/generated/order.ts";
import { Collections } from "../../test/bench/collections.ts";
import { native } from "../kit/native.ts";
import { createSegment } from "../kit/ring/segment.ts";
import { Forward } from "./forward.ts";
import { GATE_REFUSALS } from "./refusals.ts";

function rig() {
  const runDir = mkdtempSync("/dev/shm/tickline-test-execution-");
  after(() => rmSync(runDir, { recursive: true, force: true }));
  createSegment(`${runDir}/control`, { kind: "control" });
  createSegment(`${runDir}/tokens`, { kind: "plain", bytes: 4 * 128 });
  createSegment(`${runDir}/positions`, { kind: "plain", bytes: 64 });
  const port = new native.OrderPort({
    host: "127.0.0.1", port: 1, user: "TICK01", password: "tickline", symbols: ["TLKA"], runDir, replay: false, counterparty: "nobody",
    delayOutNs: 0, delayBackNs: 0, orderQtyMax: 100, orderNotionalMax: 1e9, messagesPerSecond: 1_000, workingOrdersMax: 16,
  });
  const memory = new Uint8Array(64 * FILL_BYTES);
  const fillView = new DataView(new ArrayBuffer(FILL_BYTES));
  fillPrefix(fillView, 0);
  const fill = new FillView();
  assert.ok(fill.wrap(fillView, 0));
  const link = { fills: 0, full: false };
  const forward = new Forward({
    port: { submit: port.submitter(), poll: port.poller() },
    fills: { view: fillView, claim: () => (link.full ? -1 : 0), commit: () => void (link.fills += 1) },
    batch: new DataView(memory.buffer),
    bind: (view) => { port.bindOrders(new Uint8Array(view.buffer as ArrayBuffer)); },
    check: () => {},
    horizons: undefined,
    summary: () => ({}),
    descriptor: () => -1,
    close: () => { port.close(); },
  });
  port.bindFills(memory);
  const view = new DataView(new ArrayBuffer(ORDER_BYTES));
  orderPrefix(view, 0);
  const order = new OrderView();
  assert.ok(order.wrap(view, 0));
  return { forward, order, fill, link, view };
}

test("malformed: bytes that are an order reach the gate's other limits, bytes that are none do not; both come back as Fills", () => {
  const { forward, order, fill, link, view } = rig();
  order.decision = 7;
  order.side = 1;
  order.kind = 1;
  order.epoch = 0;
  forward.onOrder(view, 0);
  forward.doWork();
  assert.equal(forward.outcomes[GATE_REFUSALS.Disarmed.code], 1);
  assert.deepEqual([link.fills, fill.kind, fill.reason, fill.decision, fill.leaves], [1, FillKind.Refused, GATE_REFUSALS.Disarmed.code, 7, 0]);
  view.setUint32(4, 0, true);
  forward.onOrder(view, 0);
  forward.doWork();
  assert.equal(forward.outcomes[GATE_REFUSALS.Malformed.code], 1);
  assert.deepEqual([link.fills, fill.kind, fill.reason], [2, FillKind.Refused, GATE_REFUSALS.Malformed.code]);
  forward.close();
});

test("a full link keeps Fills, in order, until there is room", () => {
  const { forward, order, fill, link, view } = rig();
  link.full = true;
  for (let n = 1; n <= 3; n++) {
    order.decision = n;
    forward.onOrder(view, 0);
    forward.doWork();
  }
  assert.equal(link.fills, 0);
  link.full = false;
  for (let n = 0; n < 3; n++) forward.doWork();
  assert.deepEqual([link.fills, fill.decision], [3, 3]);
  forward.close();
});

test("over 1,000,000 orders and Fills: not one collection", async () => {
  const { forward, order, view, link } = rig();
  const round = (n: number): void => {
    order.decisionLo = n;
    forward.onOrder(view, 0);
    forward.doWork();
  };
  for (let n = 0; n < 50_000; n++) round(n);
  const collections = await new Collections().during(() => {
    for (let n = 0; n < 550_000; n++) round(n);
  });
  assert.equal(link.fills, 600_000);
  assert.equal(collections, 0);
  forward.close();
});
