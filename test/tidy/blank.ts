/**
 * Blanks comments and the insides of strings, so that rules look at code only. Not a parser: it knows where comments,
 * strings, template strings, regular expressions and Rust's raw strings and lifetimes begin and end, no more.
 */

/** The languages it knows. */
export type Language = "typescript" | "rust";

interface Span {
  /** Offset just past the thing. */
  readonly end: number;
  /** True when the first and last characters stay visible (quotes). */
  readonly quoted: boolean;
}

function stringEnd(text: string, from: number, quote: string): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote) return i + 1;
  }
  return text.length;
}

function nestedCommentEnd(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text.startsWith("/*", i)) [depth, i] = [depth + 1, i + 1];
    else if (text.startsWith("*/", i)) {
      [depth, i] = [depth - 1, i + 1];
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function regexEnd(text: string, from: number): number {
  let inClass = false;
  for (let i = from + 1; i < text.length; i++) {
    const letter = text[i];
    if (letter === "\n") return -1;
    if (letter === "\\") i++;
    else if (letter === "[") inClass = true;
    else if (letter === "]") inClass = false;
    else if (letter === "/" && !inClass) return i + 1;
  }
  return -1;
}

/** A slash starts a regular expression where a value may start. */
function valueMayStart(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 40), at).trimEnd();
  return before === "" || /[=(,:;!&|?{}[+\-*%<>~^]$/.test(before) || /\b(?:return|typeof|case|in|of)$/.test(before);
}

function typescriptSpan(text: string, at: number): Span | undefined {
  const two = text.slice(at, at + 2);
  if (two === "//") return { end: lineEnd(text, at), quoted: false };
  if (two === "/*") {
    const close = text.indexOf("*/", at + 2);
    return { end: close < 0 ? text.length : close + 2, quoted: false };
  }
  const letter = text[at];
  if (letter === '"' || letter === "'") return { end: stringEnd(text, at, letter), quoted: true };
  if (letter === "/" && valueMayStart(text, at)) {
    const end = regexEnd(text, at);
    if (end > 0) return { end, quoted: true };
  }
  return undefined;
}

function rustSpan(text: string, at: number): Span | undefined {
  const two = text.slice(at, at + 2);
  if (two === "//") return { end: lineEnd(text, at), quoted: false };
  if (two === "/*") return { end: nestedCommentEnd(text, at), quoted: false };
  const raw = /^b?r(#*)"/.exec(text.slice(at, at + 16));
  if (raw !== null && !/\w/.test(text[at - 1] ?? "")) {
    const close = text.indexOf(`"${raw[1]}`, at + raw[0].length);
    return { end: close < 0 ? text.length : close + 1 + (raw[1]?.length ?? 0), quoted: true };
  }
  if (text[at] === '"') return { end: stringEnd(text, at, '"'), quoted: true };
  const character = /^'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'/u.exec(text.slice(at, at + 16));
  return character === null ? undefined : { end: at + character[0].length, quoted: true };
}

/** `text` with the same length and lines, comments gone and strings emptied; template strings keep their backticks and `${}`. */
export function blank(text: string, language: Language): string {
  const spanAt = language === "rust" ? rustSpan : typescriptSpan;
  const hide = (part: string): string => part.replace(/[^\n]/g, " ");
  const templates: number[] = [];
  let out = "";
  let depth = 0;
  let i = 0;
  /** Blanks template text from `i` up to its end or its next `${`. */
  const templateText = (): void => {
    while (i < text.length && text[i] !== "`") {
      if (text.startsWith("${", i)) {
        out += "${";
        i += 2;
        templates.push(depth);
        depth++;
        return;
      }
      const step = text[i] === "\\" ? 2 : 1;
      out += hide(text.slice(i, i + step));
      i += step;
    }
    out += text[i] ?? "";
    i++;
  };
  while (i < text.length) {
    const span = spanAt(text, i);
    const letter = text[i] ?? "";
    if (span !== undefined) {
      out += span.quoted ? letter + hide(text.slice(i + 1, span.end - 1)) + text.slice(span.end - 1, span.end) : hide(text.slice(i, span.end));
      i = span.end;
    } else if (language === "typescript" && letter === "`") {
      out += letter;
      i++;
      templateText();
    } else {
      if (letter === "{") depth++;
      if (letter === "}") depth--;
      out += letter;
      i++;
      if (letter === "}" && templates.at(-1) === depth) {
        templates.pop();
        templateText();
      }
    }
  }
  return out.slice(0, text.length);
}
