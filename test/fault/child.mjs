// A small real process under the supervisor: says its phase and beats through files, and misbehaves as asked.
// node child.mjs FOLDER SERVICE MODE
import { appendFileSync, existsSync, renameSync, writeFileSync } from "node:fs";

const [folder, service, mode] = process.argv.slice(2);
// Whole or not at all: a reader must not see an empty file.
const put = (name, text) => {
  writeFileSync(`${folder}/${name}.new`, text);
  renameSync(`${folder}/${name}.new`, `${folder}/${name}`);
};
const phase = (text) => { put(`${service}.phase`, text); };
const beat = () => { put(`${service}.beat`, String(performance.timeOrigin + performance.now())); };

appendFileSync(`${folder}/order`, `start ${service}\n`);
if (mode === "never-ready") {
  process.stderr.write("waiting for a venue that is not there\n");
  setInterval(() => {}, 1000);
} else if (mode === "fails") {
  process.stderr.write("no such instrument: TLKZ\n");
  process.exitCode = 1;
} else if (mode === "fails-again" && existsSync(`${folder}/${service}.again`)) {
  process.exitCode = 1;
} else {
  if (mode === "fails-again") writeFileSync(`${folder}/${service}.again`, "");
  const beating = setInterval(beat, 20);
  process.on("SIGTERM", () => {
    if (mode === "deaf") return;
    appendFileSync(`${folder}/order`, `stop ${service}\n`);
    phase("stopped");
    clearInterval(beating);
  });
  beat();
  phase("running");
  if (mode === "crashes") setTimeout(() => process.exit(7), 100);
  if (mode === "finishes") setTimeout(() => { phase("stopped"); clearInterval(beating); }, 150);
}
