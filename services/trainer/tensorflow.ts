/**
 * Trains a network in TensorFlow.js and gives its parameters back: the same architecture, the same first weights, the same rows. What
 * differs: no weight decay and no clipping of gradients, dropout from TensorFlow's own dice; so a run is not repeatable to the bit.
 */
import { TicklineError } from "../kit/errors.ts";
import type { native } from "../kit/native.ts";
import { exportKeras } from "../interchange/keras/export.ts";
import { filesOf } from "../interchange/keras/files.ts";
import { obey, parametersOf } from "../interchange/keras/trained.ts";
import { ofData, verified, type Model } from "../interchange/model.ts";
import { INSTALL, loadTfTrainer, type Tf, type TfModel } from "../interchange/peers.ts";
import { door } from "./door.ts";
import type { Progress, Task } from "./fit.ts";
import type { Settings } from "./networks.ts";

type Run = InstanceType<typeof native.Fit>;
type Lessons = ReturnType<Task["lessons"]>;

/** A row of which no class is wanted. */
const NO_CLASS = 255;
/** Reports a run makes at most. */
const REPORTS = 200;

/** Seeded numbers from 0 to below 1 (Mulberry32). */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** First rows of all windows of which something is wanted: every one, or, where an answer is given for each row, those side by side. */
export function windowsOf({ classes, starts }: Pick<Lessons, "classes" | "starts">, window: number, stride: number): Uint32Array {
  const first: number[] = [];
  for (let i = 0; i + 1 < starts.length; i++) {
    const [from = 0, until = 0] = [starts[i], starts[i + 1]];
    for (let at = from; at + window <= until; at += stride) {
      const rows = stride === 1 ? classes.subarray(at + window - 1, at + window) : classes.subarray(at, at + window);
      if (classes.length === 0 || rows.some((each) => each !== NO_CLASS)) first.push(at);
    }
  }
  return Uint32Array.from(first);
}

/** A factor on the rate: rises over the first twentieth of the run and falls along a smooth step, as our own trainer's. */
function factor(share: number): number {
  return Math.min(1, share / 0.05) * Math.max(0.01, 1 - share * share * (3 - 2 * share));
}

/** What is asked of windows, `[windows][times][outputs]`: the weight of its class at the class of each row, else zeros; or the rows themselves. */
function wanted({ rows, classes, classWeights }: Lessons, ends: readonly number[], times: number, columns: number): Float32Array {
  if (classes.length === 0) return Float32Array.from(ends.flatMap((end) => [...rows.subarray(end * columns, (end + 1) * columns)]));
  const out = new Float32Array(ends.length * times * 3);
  ends.forEach((end, nth) => {
    for (let time = 0; time < times; time++) {
      const known = classes[end - times + 1 + time] ?? NO_CLASS;
      if (known !== NO_CLASS) out[3 * (nth * times + time) + known] = classWeights[known] ?? 1;
    }
  });
  return out;
}

async function build(tf: Tf, model: Model): Promise<TfModel> {
  const { json, bytes } = filesOf(exportKeras(model), "weights.bin");
  const { modelTopology, weightsManifest: [group] } = JSON.parse(json) as { modelTopology: object; weightsManifest: [{ weights: object[] }] };
  return tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: group.weights, weightData: new Uint8Array(bytes).buffer }));
}

/** The network as TensorFlow.js can train it: one that carries state sees `steps` rows from an empty state, and answers each. */
function trainable(data: ReturnType<Run["data"]>, steps: number): Model {
  const model = ofData(data);
  return model.contract.stateful ? verified({ ...model, contract: { ...model.contract, classes: [], stateful: false, window: steps } }) : model;
}

/**
 * Trains a run's network on its task and puts the parameters into the run.
 *
 * @param report called about 200 times
 * @returns mean loss at each report, first to last
 * @throws TicklineError TL_MODEL (KERAS_LAYER) naming the first layer that TensorFlow.js cannot have, TL_USAGE when it is not installed
 * or a setting is not possible in it
 */
export async function trainInTensorFlow(run: Run, task: Task, settings: Settings, seed: number, report: (progress: Progress) => void): Promise<number[]> {
  if (settings.adversary > 0) throw new TicklineError("TL_USAGE", "--adversary is not possible with TensorFlow.js; leave one of the two out");
  const model = trainable(door(() => run.data()), settings.steps);
  const tf = await loadTfTrainer();
  if (tf === undefined) throw new TicklineError("TL_USAGE", `TensorFlow.js is not installed; run: ${INSTALL}`);
  const net = await build(tf, model);
  const { window, columns: { length: columns } } = model.contract;
  const times = model.shapes.at(-1)?.time ?? 1;
  const lessons = task.lessons(settings.balance);
  const first = windowsOf(lessons, window, times > 1 ? window : 1);
  const batch = Math.min(settings.batch, first.length);
  const each = Math.floor(first.length / batch);
  const batches = each * settings.epochs;
  const optimizer = tf.train.adam(settings.rate, 0.9, 0.999, 1e-8);
  net.compile({ optimizer, loss: lessons.classes.length > 0 ? "categoricalCrossentropy" : "meanSquaredError" });
  const roll = dice(seed);
  const losses: number[] = [];
  let [sum, since] = [0, 0];
  for (let done = 0; done < batches; done++) {
    if (done % each === 0) for (let at = first.length - 1; at > 0; at--) {
      const other = Math.floor(roll() * (at + 1));
      [first[at], first[other]] = [first[other] ?? 0, first[at] ?? 0];
    }
    optimizer.learningRate = Math.max(1e-9, settings.rate * factor(done / batches));
    const starts = [...first.subarray((done % each) * batch, (done % each + 1) * batch)];
    const input = new Float32Array(batch * window * columns);
    starts.forEach((start, nth) => input.set(lessons.rows.subarray(start * columns, (start + window) * columns), nth * window * columns));
    const x = tf.tensor(input, window === 1 ? [batch, columns] : [batch, window, columns]);
    const target = wanted(lessons, starts.map((start) => start + window - 1), times, columns);
    const y = tf.tensor(target, times > 1 ? [batch, times, target.length / batch / times] : [batch, target.length / batch]);
    sum += await net.trainOnBatch(x, y);
    obey(tf, net, model);
    since++;
    x.dispose();
    y.dispose();
    if (since < batches / REPORTS && done + 1 < batches) continue;
    losses.push(sum / since);
    if (!Number.isFinite(sum)) throw new TicklineError("TL_MODEL", "MODEL_NOT_FINITE: training has diverged; lower the learning rate");
    report({ share: (done + 1) / batches, loss: sum / since, rows: since * batch * times });
    [sum, since] = [0, 0];
    // Lets signals in: the CPU backend never does by itself.
    await new Promise((resolve) => setImmediate(resolve));
  }
  door(() => run.put(parametersOf(net, model)));
  net.dispose();
  return losses;
}
