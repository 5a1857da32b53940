/** Recorded data that tests read; it is no part of the project. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = process.env["TICKLINE_DATA"] ?? fileURLToPath(new URL("../../shared/data", import.meta.url));

/** Where a file of the data folder would be: `TICKLINE_DATA`, else `shared/data` beside the repository. */
export const recorded = (name: string): string => join(FOLDER, name);

/** Why a test that reads these files is skipped; false where all of them are there. */
export function absent(...paths: readonly string[]): string | false {
  const missing = paths.find((path) => !existsSync(path));
  return missing === undefined ? false : `${missing} is absent; set TICKLINE_DATA to the data folder`;
}
