/**
 * Goal: risk makes no garbage, whichever calls V8 chooses to inline. By default that depends on how often each had been called when it
 * was compiled, so on timing: a number that is boxed on its way through a call would show in one run of ten.
 * Method: the tests for garbage in a process whose compilers inline nothing.
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--no-turbo-inlining");
setFlagsFromString("--no-maglev-inlining");
await import("./garbage.test.ts");
