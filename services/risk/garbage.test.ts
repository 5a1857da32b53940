/**
 * Goal: deciding, writing tokens, ordering and counting Fills makes no garbage: not one collection in over a million messages.
 * Method: a real desk trades back and forth; the collector's own notices are counted between two points in time. A loop that does
 * leave garbage shows that the count would see it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FillKind } from "../../schemas/generated/fill.ts";
import { Collections } from "../../test/bench/collections.ts";
import { Refusal } from "./refusals.ts";
import { ASK, BID, LIMITS, Rig } from "./rig.ts";

const folder = mkdtempSync("/dev/shm/tickline-test-garbage-");
after(() => rmSync(folder, { recursive: true, force: true }));

const collections = new Collections();

/** Shares of an order: at the rig's prices worth 2 x 10^9, and doubled beyond 2^31. Whole numbers below that are never boxed. */
const QTY = 2_000;

/** The message views' fields as the desk would see them from a ring, without the test's own comfort. */
class Trader {
  readonly rig = new Rig(join(folder, "tokens"), { ...LIMITS, orderQtyMax: QTY, orderNotionalMax: 1e10, positionMax: 2 * QTY, messagesPerSecond: 1_000_000, lossMax: 1e15 });
  #round = 0;

  constructor() {
    // Beyond 2^32 and, to the end of the test, with a low half beyond 2^31: so times are boxed wherever they may be.
    this.rig.nowNs = 1_000 * 2 ** 32 + 2 ** 31;
  }

  /** Three or four messages: a signal, its order's acceptance and execution, a row. Every fifth signal is refused, on either side in turn. */
  round(): void {
    const { rig } = this;
    this.#round += 1;
    const side = 1 + (this.#round & 1);
    rig.wait(1_500);
    const refused = this.#round % 5 === 0;
    rig.ask(side, refused ? 1 : side === 1 ? ASK : BID, QTY, 1);
    // Apart from the call: as an argument it would be boxed, and the garbage would be the test's.
    if ((this.#round & 3) !== 0) rig.signal.confidence = 0.5;
    rig.offerSignal();
    if (!refused) {
      rig.answerLast(FillKind.Accepted, QTY, QTY);
      rig.answerLast(FillKind.Executed, QTY, 0);
    }
    rig.touch(0, BID + (this.#round & 15), ASK + (this.#round & 15));
  }
}

test("over 1,000,000 messages through risk: not one collection", async () => {
  const trader = new Trader();
  // Unhurried, so that the compiler's threads are done with it on a busy machine too: code that is not yet compiled boxes numbers.
  for (let warm = 0; warm < 6; warm++) {
    for (let n = 0; n < 20_000; n++) trader.round();
    await sleep(100);
  }
  // Garbage of the messages would show in every run; that of a compiler that a busy machine kept waiting shows in the first.
  let runs = 0;
  let found = 0;
  do {
    runs += 1;
    await sleep(100);
    found = await collections.during(() => {
      for (let n = 0; n < 330_000; n++) trader.round();
    });
  } while (found > 0 && runs < 3);
  const { outcomes, known } = trader.rig.desk;
  const rounds = 120_000 + runs * 330_000;
  assert.deepEqual([outcomes[Refusal.None], outcomes[Refusal.CollarLow]], [rounds * 0.8, rounds * 0.2]);
  assert.equal(known.account.exact, true);
  assert.ok(trader.rig.nowNs % 2 ** 32 > 2 ** 31);
  assert.equal(found, 0);
});

test("the count has teeth: a small object a round is seen", async () => {
  let kept: object = {};
  const found = await collections.during(() => {
    for (let n = 0; n < 3_000_000; n++) kept = { n, kept: 0.5 + n };
  });
  assert.ok(found > 0 && kept !== undefined);
});
