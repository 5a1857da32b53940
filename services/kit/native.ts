/** Loads the native addon; the only file that does. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as Addon from "../../crates/addon/index.d.ts";
import { TicklineError } from "./errors.ts";

const FILE = fileURLToPath(new URL("../../crates/addon/tickline.node", import.meta.url));

function load(): typeof Addon {
  if (!existsSync(FILE)) {
    throw new TicklineError("TL_ADDON", `the native addon ${FILE} is missing; run: npm run addon`);
  }
  try {
    return createRequire(import.meta.url)(FILE) as typeof Addon;
  } catch (cause) {
    throw new TicklineError("TL_ADDON", `the native addon ${FILE} cannot be loaded (${String(cause)}); run: npm run addon`, { cause });
  }
}

/** Every door of `crates/addon`. */
export const native: typeof Addon = load();
