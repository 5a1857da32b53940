/** The peer of the gate: the check before an order that a TypeScript program writes first. No token, no seqlock, no publication. */
import { batches } from "./batches.ts";
import type { Row } from "./row.ts";

interface Limits {
  priceLow: number;
  priceHigh: number;
  qtyMax: number;
  notionalMax: number;
  notionalTotal: number;
  messagesTotal: number;
}

interface Used {
  notional: number;
  messages: number;
}

function allowed(price: number, qty: number, limits: Limits, used: Used): boolean {
  if (!(price >= limits.priceLow && price <= limits.priceHigh)) return false;
  if (!(qty > 0 && qty <= limits.qtyMax)) return false;
  const notional = price * qty;
  if (!(notional <= limits.notionalMax && used.notional + notional <= limits.notionalTotal)) return false;
  if (!(used.messages + 1 <= limits.messagesTotal)) return false;
  used.notional += notional;
  used.messages += 1;
  return true;
}

/** Runs the benchmark: the other rows are `tickline-bench gate`'s. */
export async function benchGate(calls = 2_000_000): Promise<Row[]> {
  const limits = { priceLow: 900_000, priceHigh: 1_100_000, qtyMax: 2_000, notionalMax: 1e10, notionalTotal: Number.MAX_SAFE_INTEGER, messagesTotal: 1e15 };
  const used = { notional: 0, messages: 0 };
  let refused = 0;
  const row = batches("gate", "peer: plain check in typescript", "six compares and two totals in one object", calls, (n) => {
    if (!allowed(1_000_000 + (n % 100), 1 + (n & 7), limits, used)) refused += 1;
  });
  if (refused > 0 || allowed(limits.priceHigh + 1, 1, limits, used)) throw new Error(`the plain check is wrong: ${refused} refused`);
  return [row];
}
