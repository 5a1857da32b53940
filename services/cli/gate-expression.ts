/**
 * The little language of `--gate`: comparisons of measured names with numbers, joined by `&&` and `||`, with parentheses.
 *
 *     line.p50<5us && line.p99<20us && (refusals == 0 || orders > 100)
 *
 * A number may carry a time unit (ns, us, ms, s); times are compared in ns. A name that was not measured is an error, not
 * a pass: a gate that cannot be evaluated must never succeed.
 */
import { TicklineError } from "../kit/errors.ts";

/** Why an expression could not be read or evaluated; `at` is the character it concerns, from 0. */
export class GateError extends TicklineError {
  override readonly name = "GateError";
  readonly at: number;
  constructor(message: string, at: number) {
    super("TL_USAGE", message);
    this.at = at;
  }
}

/** One comparison and how it came out. */
export interface GateCheck {
  readonly text: string;
  readonly name: string;
  readonly measured: number;
  readonly passed: boolean;
}

/** The outcome of a whole expression; `checks` lists every comparison in it, in order. */
export interface GateResult {
  readonly passed: boolean;
  readonly checks: readonly GateCheck[];
}

type Operator = "<" | "<=" | ">" | ">=" | "==" | "!=";
type Node =
  | { readonly kind: "compare"; readonly name: string; readonly operator: Operator; readonly value: number; readonly from: number; readonly to: number }
  | { readonly kind: "and" | "or"; readonly left: Node; readonly right: Node };

/** A parsed expression. */
export interface Gate {
  readonly text: string;
  readonly root: Node;
}

const UNIT_NS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 } as const;
const TOKEN = /\s*(?:(&&|\|\||\(|\)|<=|>=|==|!=|<|>)|([A-Za-z_][\w.]*)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(ns|us|ms|s)?(?![\w.]))/y;

interface Token {
  readonly kind: "symbol" | "name" | "number" | "end";
  readonly text: string;
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== "") {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      const at = start + (text.slice(start).length - text.slice(start).trimStart().length);
      throw new GateError(`cannot read "${text.slice(at)}"`, at);
    }
    const [whole, symbol, name, number, unit] = match;
    const from = match.index + (whole.length - whole.trimStart().length);
    const to = TOKEN.lastIndex;
    if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, value: 0, from, to });
    else if (name !== undefined) tokens.push({ kind: "name", text: name, value: 0, from, to });
    else {
      const scale = unit === undefined ? 1 : UNIT_NS[unit as keyof typeof UNIT_NS];
      tokens.push({ kind: "number", text: whole.trim(), value: Number(number) * scale, from, to });
    }
  }
  tokens.push({ kind: "end", text: "the end", value: 0, from: text.length, to: text.length });
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Node {
    const node = this.#any();
    const rest = this.#take();
    if (rest.kind !== "end") throw new GateError(`expected && or || but found "${rest.text}"`, rest.from);
    return node;
  }

  #take(): Token {
    // The last token is the end and is never passed, so the index stays in range.
    const token = this.#tokens[this.#next] as Token;
    if (token.kind !== "end") this.#next++;
    return token;
  }

  #accept(symbol: string): boolean {
    const token = this.#tokens[this.#next] as Token;
    if (token.kind !== "symbol" || token.text !== symbol) return false;
    this.#next++;
    return true;
  }

  #any(): Node {
    let node = this.#all();
    while (this.#accept("||")) node = { kind: "or", left: node, right: this.#all() };
    return node;
  }

  #all(): Node {
    let node = this.#one();
    while (this.#accept("&&")) node = { kind: "and", left: node, right: this.#one() };
    return node;
  }

  #one(): Node {
    if (this.#accept("(")) {
      const node = this.#any();
      const close = this.#take();
      if (close.text !== ")") throw new GateError(`expected ) but found "${close.text}"`, close.from);
      return node;
    }
    const name = this.#take();
    if (name.kind !== "name") throw new GateError(`expected a measured name but found "${name.text}"`, name.from);
    const operator = this.#take();
    if (operator.kind !== "symbol" || !/^(<=?|>=?|==|!=)$/.test(operator.text)) {
      throw new GateError(`expected one of < <= > >= == != but found "${operator.text}"`, operator.from);
    }
    const value = this.#take();
    if (value.kind !== "number") throw new GateError(`expected a number (with ns, us, ms or s) but found "${value.text}"`, value.from);
    return { kind: "compare", name: name.text, operator: operator.text as Operator, value: value.value, from: name.from, to: value.to };
  }
}

/**
 * Reads an expression.
 * @throws GateError where it is not well formed
 */
export function parseGate(text: string): Gate {
  return { text, root: new Parser(tokenize(text)).whole() };
}

function holds(measured: number, operator: Operator, value: number): boolean {
  switch (operator) {
    case "<": return measured < value;
    case "<=": return measured <= value;
    case ">": return measured > value;
    case ">=": return measured >= value;
    case "==": return measured === value;
    case "!=": return measured !== value && !Number.isNaN(measured);
  }
}

/**
 * Evaluates an expression; every comparison is evaluated, so that the report shows all of them.
 * @param measured names to numbers, latencies in ns
 * @throws GateError when a name was not measured
 */
export function evaluateGate(gate: Gate, measured: ReadonlyMap<string, number>): GateResult {
  const checks: GateCheck[] = [];
  const visit = (node: Node): boolean => {
    if (node.kind !== "compare") {
      const left = visit(node.left);
      const right = visit(node.right);
      return node.kind === "and" ? left && right : left || right;
    }
    const value = measured.get(node.name);
    if (value === undefined) {
      throw new GateError(`"${node.name}" is not measured; names are: ${[...measured.keys()].join(", ")}`, node.from);
    }
    const passed = holds(value, node.operator, node.value);
    checks.push({ text: gate.text.slice(node.from, node.to), name: node.name, measured: value, passed });
    return passed;
  };
  const passed = visit(gate.root);
  return { passed, checks };
}
