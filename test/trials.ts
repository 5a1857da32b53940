/** How much a test tries: a little in `npm test`, much in `npm run test:long`. `crates/trials` is the same for Rust. */

/** `few`, or `many` where the environment says `TICKLINE_LONG=1`. */
export function trials(few: number, many: number): number {
  return process.env["TICKLINE_LONG"] === "1" ? many : few;
}
