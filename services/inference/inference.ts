// @hot
/**
 * Features in, Signals out: asks the model, then the strategy, and sends what the strategy wants.
 *
 * A row that cannot be answered is counted by reason and makes no Signal. A slot of the outlet is claimed before a row is taken, so a
 * full link holds rows back instead of losing Signals.
 */
import { FeaturesFlag, FeaturesView, FEATURES_OFFSET_DUE_NS, FEATURES_OFFSET_FEED_NS, FEATURES_OFFSET_SEQ, FEATURES_OFFSET_TIME_NS } from "../../schemas/generated/features.ts";
import { SIGNAL_OFFSET_CONFIDENCE, SIGNAL_OFFSET_PREDICTION, SignalView } from "../../schemas/generated/signal.ts";
import { Lane, Side } from "../../schemas/generated/terms.ts";
import type { Agent } from "../kit/agent.ts";
import type { Handler, Inlet, Outlet } from "../kit/link.ts";
import { PREDICTION_OFFSET_MODEL_HASH, PREDICTION_OFFSET_PREDICT_NS, PREDICTION_OFFSET_PROBABILITY, type PredictionView } from "../kit/prediction.ts";
import type { ServiceBlock } from "../kit/ring/control.ts";
import { counter, hop } from "../kit/ring/names.ts";
import type { Intent } from "../kit/strategy.ts";
import type { GuardedDecider } from "./guarded-decider.ts";
import { Status, type Model } from "./model.ts";

/** Rows taken in one duty cycle at most. */
const BURST = 64;
/** Confidence above which a Signal takes the priority lane. */
const PRIORITY_ABOVE = 0.95;
/** Flags of a row whose book must not be traded on. */
const UNSOUND = FeaturesFlag.BookStale | FeaturesFlag.Crossed | FeaturesFlag.OneSided;
const U32 = 4294967295;
// V8 folds a module's own constants into the code, and loads those that it imports.
const { BookStale, WarmingUp } = FeaturesFlag;
const { Ok, InputNotFinite, OutputNotFinite } = Status;
const { Buy, Sell } = Side;
const { Normal, Priority } = Lane;
const SEQ = FEATURES_OFFSET_SEQ;
const TIME_NS = FEATURES_OFFSET_TIME_NS;
const DUE_NS = FEATURES_OFFSET_DUE_NS;
const FEED_NS = FEATURES_OFFSET_FEED_NS;
const PREDICT_NS = PREDICTION_OFFSET_PREDICT_NS;
const MODEL_HASH = PREDICTION_OFFSET_MODEL_HASH;
const PROBABILITY = PREDICTION_OFFSET_PROBABILITY;
const CONFIDENCE = SIGNAL_OFFSET_CONFIDENCE;
const PREDICTION = SIGNAL_OFFSET_PREDICTION;

const PREDICTIONS = counter("predictions");
const SIGNALS = counter("signals");
const RING_FULL = counter("ring_full");
const NO_SIGNAL_NAN = counter("no_signal_nan");
const NO_SIGNAL_CONTRACT = counter("no_signal_contract");
const NO_SIGNAL_STRATEGY = counter("no_signal_strategy");
const NO_SIGNAL_BOOK = counter("no_signal_book");
const NO_SIGNAL_WARMING = counter("no_signal_warming");
const INFERENCE = hop("inference");
const STRATEGY = hop("strategy");

/** Everything the agent works with, wired by `main.ts`. */
export interface InferenceParts {
  readonly model: Model;
  readonly prediction: PredictionView;
  readonly decider: GuardedDecider;
  readonly block: ServiceBlock;
  /** The feed's block, for its horizon. */
  readonly upstream: ServiceBlock;
  /** Gives the receiving end of Features, given the handler. */
  readonly inlet: (handler: Handler) => Inlet;
  readonly outlet: Outlet;
  /** Stamps the monotonic time into `stampWords`. */
  readonly stamp: () => void;
  readonly stampWords: Uint32Array;
  /** Index of the strategy in the line's configuration. */
  readonly strategyIndex: number;
  /** True when the model keeps recurrent state, whose next half is computed after each answer. */
  readonly recurrent: boolean;
  /** Makes the run's record; `answers` counts rows by likeliest class. */
  readonly summary: (answers: Float64Array) => Record<string, unknown>;
}

/** True when an intent is an order that could be meant. */
function isSound(intent: Intent): boolean {
  return (
    (intent.side === Buy || intent.side === Sell) &&
    intent.price >= 1 && intent.price <= U32 && intent.price % 1 === 0 &&
    intent.qty >= 1 && intent.qty <= U32 && intent.qty % 1 === 0 &&
    intent.confidence >= 0 && intent.confidence <= 1 &&
    intent.reason >= 0 && intent.reason <= 65535
  );
}

/** The inference service at work. */
export class Inference implements Agent {
  readonly #parts: InferenceParts;
  readonly #inlet: Inlet;
  readonly #features = new FeaturesView();
  readonly #signal = new SignalView();
  /** The stamp, as the view of a message takes it. */
  readonly #stampView: DataView;
  readonly #intent: Intent = { side: 0, price: 0, qty: 0, confidence: 0, reason: 0 };
  /** Claimed slot of the outlet; -1 while there is none. */
  #slot = -1;
  /** Answers by likeliest class. */
  readonly #answers = new Float64Array(8);
  /** What a run's record says about this service. */
  readonly summary: () => Record<string, unknown>;

  constructor(parts: InferenceParts) {
    this.#parts = parts;
    this.#stampView = new DataView(parts.stampWords.buffer, parts.stampWords.byteOffset, 8);
    this.#inlet = parts.inlet(this.onFeatures);
    parts.model.bind(this.#inlet.view);
    this.summary = () => parts.summary(this.#answers);
  }

  /** Takes rows until none waits, the burst is full or the outlet is; publishes the horizon once all rows were taken. */
  doWork(): number {
    const { block, model, upstream, outlet } = this.#parts;
    // Read before the rows: everything below this horizon is in the inlet already.
    upstream.horizon.load();
    const low = upstream.horizon.low;
    const high = upstream.horizon.high;
    let taken = 0;
    for (;;) {
      if (this.#slot < 0) this.#slot = outlet.claim();
      if (this.#slot < 0) {
        block.add(RING_FULL, 1);
        return taken;
      }
      if (taken >= BURST) return taken;
      if (this.#inlet.poll(this.onFeatures, 1) === 0) break;
      taken++;
    }
    block.horizon.set(low, high);
    if (taken === 0) model.keep();
    return taken;
  }

  /** Answers one row. */
  readonly onFeatures: Handler = (view, at) => {
    const { block, model, prediction, recurrent } = this.#parts;
    const features = this.#features;
    if (!features.wrap(view, at)) {
      block.add(NO_SIGNAL_CONTRACT, 1);
      return;
    }
    const flags = features.flags;
    if ((flags & UNSOUND) !== 0) {
      // A model's memory of a book that was wrong is worth nothing.
      if ((flags & BookStale) !== 0) model.reset(features.instrument);
      block.add(NO_SIGNAL_BOOK, 1);
      return;
    }
    if ((flags & WarmingUp) !== 0) {
      block.add(NO_SIGNAL_WARMING, 1);
      return;
    }
    const status = model.predict(view, at);
    if (status !== Ok) {
      block.add(status === InputNotFinite || status === OutputNotFinite ? NO_SIGNAL_NAN : NO_SIGNAL_CONTRACT, 1);
      return;
    }
    // Before `#send`: it ends with the order on its way. What only counts comes after it.
    const elapsedNs = prediction.elapsedNs;
    const best = prediction.best & 7;
    if (this.#decide()) this.#send(view, features.at);
    block.add(PREDICTIONS, 1);
    this.#answers[best] = (this.#answers[best] as number) + 1;
    block.record(INFERENCE, elapsedNs);
    if (recurrent) model.prepare(features.instrument);
  };

  /** Asks the strategy; an exception or a senseless intent is no Signal. */
  #decide(): boolean {
    const { block, decider, prediction } = this.#parts;
    const throwsBefore = decider.throws;
    const wanted = decider.decide(this.#features, prediction, this.#intent);
    if (decider.throws !== throwsBefore) block.add(NO_SIGNAL_STRATEGY, 1);
    if (!wanted) return false;
    if (isSound(this.#intent)) return true;
    block.add(NO_SIGNAL_STRATEGY, 1);
    return false;
  }

  /** Fills the claimed slot and publishes it. `at`: where the row's view stands in `view`. */
  #send(view: DataView, at: number): void {
    const { block, outlet, prediction, stamp, stampWords, strategyIndex } = this.#parts;
    const features = this.#features;
    const signal = this.#signal;
    const intent = this.#intent;
    if (!signal.wrap(outlet.view, this.#slot)) {
      block.add(NO_SIGNAL_CONTRACT, 1);
      return;
    }
    signal.copySeq(view, at + SEQ);
    signal.copyTimeNs(view, at + TIME_NS);
    signal.copyDueNs(view, at + DUE_NS);
    signal.copyFeedNs(view, at + FEED_NS);
    signal.copyPredictNs(prediction.view, PREDICT_NS);
    signal.copyModelHash(prediction.view, MODEL_HASH);
    signal.instrument = features.instrument;
    signal.strategy = strategyIndex;
    signal.side = intent.side as Side;
    signal.lane = intent.confidence > PRIORITY_ABOVE ? Priority : Normal;
    signal.reason = intent.reason;
    signal.price = intent.price;
    signal.qty = intent.qty;
    signal.bid = features.bid;
    signal.ask = features.ask;
    // Not by the views' accessors: a fraction is boxed on its way through a call that V8 does not inline.
    signal.view.setFloat32(signal.at + CONFIDENCE, intent.confidence, true);
    for (let i = 0; i < 4; i++) signal.view.setInt32(signal.at + PREDICTION + 4 * i, prediction.view.getInt32(PROBABILITY + 4 * i, true), true);
    stamp();
    signal.copySignalNs(this.#stampView, 0);
    // Low halves: their difference is right below 4.3 s, and makes no number that would have to be allocated.
    const tookNs = ((stampWords[0] as number) - prediction.view.getUint32(PREDICT_NS, true)) >>> 0;
    this.#slot = -1;
    outlet.commit();
    block.record(STRATEGY, tookNs);
    block.add(SIGNALS, 1);
  }

  close(): void {
    this.#slot = -1;
  }
}
