/** Learning beside the line as a table: what was done, how every model that answers stands, and which became live when. Pure. */
import type { LiveChange, MemberStanding, ModelStanding } from "../kit/standing.ts";
import type { LearningSnapshot } from "../supervisor/learning.ts";
import { columns, table, whole, wrap } from "./columns.ts";

/** Decisions shown, the newest. */
const CHANGES_SHOWN = 5;

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function row({ name, role, hash, macro_f1, mcc, accuracy, coverage, calibration, fits }: ModelStanding): string[] {
  const baseline = role === "baseline";
  const note = role === "shadow" ? `shadow${fits ? "" : ", cannot be promoted"}` : role;
  return [name, note, hash.slice(0, 8), percent(macro_f1), mcc.toFixed(3), percent(accuracy), percent(coverage), baseline ? "" : percent(calibration)];
}

function changeText({ time_ns, what, name, from, to, labels, from_f1, to_f1 }: LiveChange): string {
  return `${what} ${name} at ${(time_ns / 1e9).toFixed(3)} s: ${from} gave way to ${to}, macro-F1 ${percent(from_f1)} against ${percent(to_f1)} over ${whole(labels)} labels`;
}

/** Lines about learning beside the line, `width` characters wide; none without a learner. */
export function learningTable({ learning }: { readonly learning: LearningSnapshot | null }, width: number): string[] {
  if (learning === null) return [];
  const { steps, rate, dropout_factor, published, promoted, retrained, withheld, rolled_back, labels, others } = learning;
  const thin = dropout_factor > 1 ? ` and dropout x ${dropout_factor.toFixed(2)}` : "";
  const pace = rate > 0 ? ` (the last at rate ${rate.toPrecision(3)}${thin})` : "";
  const did = `learning: ${whole(steps)} steps${pace}, ${whole(published)} published, ${whole(promoted)} promoted, ${whole(withheld)} withheld, ${whole(rolled_back)} rolled back${retrained > 0 ? `, ${whole(retrained)} retrained` : ""}`;
  if (labels === 0) return wrap(`${did}; not yet evaluated`, width);
  if (others.length === 0) return [...wrap(did, width), ...memberLines(learning, width)];
  const each = [learning, ...others].flatMap((member, nth) => ["", ...wrap(`member ${nth + 1}, ${member.in_place} in place`, width), ...memberLines(member, width)]);
  return [...wrap(`${did}; ${others.length + 1} members learn`, width), ...each];
}

/** How one model that learns stands, and those beside it. */
function memberLines({ reward, models, changes, contested, stands_down }: MemberStanding, width: number): string[] {
  const labels = models[0]?.labels ?? 0;
  const earned = reward === null ? [] : [`by reward: Sharpe ratio ${reward.sharpe.toFixed(3)} a trade over the newest trades, ${whole(reward.trades)} would have been made`];
  return [
    ...earned.flatMap((text) => wrap(text, width)),
    ...table(columns("model", "role", "hash", "+macro-F1 %", "+MCC", "+accuracy %", "+coverage %", "+calibration error %"), models.map(row), width),
    ...wrap(`over the newest ${whole(labels)} labels, each answered before it was learned; coverage: calls of up or down${contested > 0 ? `; ${whole(contested)} labels into the contest` : ""}`, width),
    ...(stands_down ? wrap("another model was published to the line: the learner publishes nothing any more", width) : []),
    ...changes.slice(-CHANGES_SHOWN).flatMap((change) => wrap(changeText(change), width)),
  ];
}
