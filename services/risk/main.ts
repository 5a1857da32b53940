/** Wiring of risk: limits, links, the token table, and the position that a restart takes over. */
import type { Agent } from "../kit/agent.ts";
import { Cause } from "../kit/cause.ts";
import { nowNs, stamp, stampWords } from "../kit/clock.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError } from "../kit/errors.ts";
import { rowHeld, rowNumber } from "../kit/ring/guarded-row.ts";
import { AT_DATA } from "../kit/ring/layout.ts";
import { counter, hop } from "../kit/ring/names.ts";
import { Segment } from "../kit/ring/segment.ts";
import { POSITION_BYTES, SEGMENT } from "../kit/segments.ts";
import { riskLimits } from "./config.ts";
import { Desk } from "./desk.ts";
import { REFUSAL_NAMES } from "./refusals.ts";
import { TokenWriter } from "./tokens.ts";

const ORDERS = counter("orders");
const REFUSED = counter("refused_by_risk");
const RISK = hop("risk");

/** Tries before a row that is being written counts as torn; a write takes nanoseconds. */
const ROW_TRIES = 1000;

/**
 * Takes over the positions that execution has published (`crates/port/src/rows.rs`); a row never written leaves the instrument flat.
 * @throws TicklineError TL_SEGMENT when a row stays torn: what is held is not known, and nothing may be decided on a guess
 */
function restorePositions(desk: Desk, segment: Segment, instruments: number): void {
  for (let instrument = 0; instrument < instruments; instrument++) {
    const at = AT_DATA + instrument * POSITION_BYTES;
    let whole = false;
    for (let tries = 0; tries < ROW_TRIES && !whole; tries++) {
      const number = rowNumber(segment.words, at >> 2);
      const shares = Number(segment.view.getBigInt64(at + 8, true));
      const cash = Number(segment.view.getBigInt64(at + 16, true));
      const asOf = Number(segment.view.getBigUint64(at + 40, true));
      whole = rowHeld(segment.words, at >> 2, (at + 60) >> 2, number);
      if (!whole || number === 0) continue;
      desk.known.account.restore(instrument, shares, cash);
      desk.ledger.asOfNs[instrument] = asOf;
    }
    if (!whole) {
      throw new TicklineError("TL_SEGMENT", `segment ${segment.path}: the position of instrument ${instrument} at byte ${at} stays half written; restart execution, which writes it anew`);
    }
  }
}

function summary(desk: Desk, symbols: readonly string[]): Record<string, unknown> {
  const { account } = desk.known;
  const refusals: Record<string, number> = {};
  REFUSAL_NAMES.forEach((name, code) => {
    const count = desk.outcomes[code] as number;
    if (code > 0 && count > 0) refusals[name] = count;
  });
  return {
    orders: desk.outcomes[0] as number,
    refusals,
    halted: desk.known.halted,
    /** 1/10,000 dollar; whole numbers except where a mid lies on half of one. */
    equity: account.equity2 / 2,
    positions: symbols.map((symbol, i) => ({
      symbol,
      shares: account.shares[i] as number,
      cash: account.cash[i] as number,
      realised: account.realised[i] as number,
      unrealised: account.unrealised2(i) / 2,
      traded: account.traded[i] as number,
    })),
  };
}

/**
 * Creates risk's agent.
 * @throws TicklineError TL_CONFIG_VALUE, TL_SEGMENT
 */
export function createRisk(context: ServiceContext): Agent {
  const { config, block, lineBlock, runDir, log } = context;
  const limits = riskLimits(config);
  const symbols = config.instruments.map(({ symbol }) => symbol);
  const desk: Desk = new Desk({
    limits,
    instruments: symbols.length,
    orders: context.outlet("order"),
    tokens: new TokenWriter(Segment.open(`${runDir}/${SEGMENT.tokens}`).words),
    armed: () => lineBlock.armed(),
    epoch: () => lineBlock.epoch(),
    disarm: () => {
      const text = `the line has lost more than risk.loss_max (${limits.lossMax / 10_000} dollars): equity ${desk.known.account.equity2 / 20_000} dollars`;
      lineBlock.disarm(Cause.LossLimit, nowNs(), text);
      log.error(text);
    },
    stamp,
    stampWords,
    count: (code, tookNs) => {
      if (code !== 0) {
        block.add(REFUSED, 1);
        return;
      }
      block.add(ORDERS, 1);
      block.record(RISK, tookNs);
    },
    horizons: context.replay ? { upstream: context.peer("inference").horizon, own: block.horizon } : undefined,
    summary: () => summary(desk, symbols),
  });
  restorePositions(desk, Segment.openReadOnly(`${runDir}/${SEGMENT.positions}`), symbols.length);
  desk.attach(context.inlet("signal", desk.onSignal), context.inlet("fill", desk.onFill), context.inlet("features", () => {}));
  return desk;
}
