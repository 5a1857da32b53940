/** Names in the three cases the generated languages use. */

/** `time_ns` to `timeNs`. */
export function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `time_ns` to `TimeNs`. */
export function pascal(name: string): string {
  const text = camel(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `SessionDown` or `time_ns` to `SESSION_DOWN`, `TIME_NS`. */
export function screaming(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

/** `FillKind` to `fill_kind`. */
export function snake(name: string): string {
  return screaming(name).toLowerCase();
}

/** One element's name in an array field: `levels` to `level`. */
export function singular(name: string): string {
  return name.endsWith("s") ? name.slice(0, -1) : name;
}

/** A file identifier as a little-endian u32. */
export function identifierWord(identifier: string): number {
  return new DataView(new TextEncoder().encode(identifier).buffer).getUint32(0, true);
}
