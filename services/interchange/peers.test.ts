/**
 * Goal: training goes to the package for GPUs where it is, to the CPU where it is not, and says so where it is and does not work.
 * Method: the real selection, finding packages through a resolver that has a package for GPUs or lacks it. TensorFlow.js on its CPU stands in for
 * one that works: the package exports the same and other operations behind them (its declarations, version 4.22.0, were checked against ours).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import util from "node:util";
import { TicklineError } from "../kit/errors.ts";
import { GPU, INSTALL, installed, loadTf, loadTfTrainer, type Resolve } from "./peers.ts";

const absent = (await loadTf()) === undefined ? `TensorFlow.js is not installed: ${INSTALL}` : false;

/** A resolver that gives `gpu` for the package, and everything else as Node finds it. */
const having = (gpu: () => unknown): Resolve => (name) => (name === GPU ? gpu() : installed(name));

function missing(name: string): never {
  throw Object.assign(new Error(`Cannot find module '${name}'\nRequire stack:\n- peers.ts`), { code: "MODULE_NOT_FOUND" });
}

test("the package for GPUs is preferred where it is installed", { skip: absent }, async () => {
  const real = installed("@tensorflow/tfjs") as object;
  const gpu = Object.create(real) as object;
  assert.equal(await loadTfTrainer(having(() => gpu)), gpu);
});

test("without it training is on the CPU, without TensorFlow.js nowhere", { skip: absent }, async () => {
  assert.equal(await loadTfTrainer(having(() => missing(GPU))), installed("@tensorflow/tfjs"));
  assert.equal(await loadTfTrainer(missing), undefined);
});

test("as it is found here, by Node's own resolution, the choice is one of the two", { skip: absent }, async () => {
  const found = await loadTfTrainer();
  let gpu: unknown;
  try {
    gpu = installed(GPU);
  } catch {
    gpu = undefined;
  }
  assert.equal(found, gpu ?? installed("@tensorflow/tfjs"));
});

test("installed without its native half, or with a wrong one, it is named with the reason and what to do", { skip: absent }, async () => {
  const says = (error: unknown, reason: RegExp): true => {
    assert.ok(error instanceof TicklineError && error.code === "TL_USAGE", String(error));
    assert.match(error.message, reason);
    assert.match(error.message, /^@tensorflow\/tfjs-node-gpu is installed and does not work: .*; build it .* or remove it/);
    return true;
  };
  const unbuilt = having(() => { throw new Error("The Node.js native addon module (tfjs_binding.node) can not be found at path: /x. \nPlease run"); });
  await assert.rejects(loadTfTrainer(unbuilt), (error) => says(error, /tfjs_binding\.node\) can not be found/));
  // Something that it needs is absent, not the package itself.
  await assert.rejects(loadTfTrainer(having(() => missing("@mapbox/node-pre-gyp"))), (error) => says(error, /Cannot find module '@mapbox\/node-pre-gyp'/));
  const wrong = Object.create(installed("@tensorflow/tfjs") as object, { add: { value: (a: unknown) => a } }) as object;
  await assert.rejects(loadTfTrainer(having(() => wrong)), (error) => says(error, /1 \+ 2 is 1 on its backend cpu/));
});

test("what Node 23 took away and the package calls is there when it is loaded", { skip: absent }, async () => {
  const old = util as unknown as Record<string, (value: unknown) => boolean>;
  const real = installed("@tensorflow/tfjs") as { add(a: unknown, b: unknown): unknown };
  let seen = false;
  const add = (a: unknown, b: unknown): unknown => {
    seen = old["isNullOrUndefined"]?.(undefined) === true && old["isNullOrUndefined"](0) === false && old["isArray"]?.([]) === true;
    return real.add(a, b);
  };
  await loadTfTrainer(having(() => Object.create(real, { add: { value: add } }) as object));
  assert.ok(seen);
});
