/**
 * Reads what flatc knows of a schema from its binary form (`flatc --schema --binary`), so that nothing here parses
 * `.fbs` text. Slot numbers are those of FlatBuffers' own reflection schema, version 25.9.23.
 */
import * as flatbuffers from "flatbuffers";

/** A scalar type, named by its width as in `.fbs`. */
export type Scalar =
  | "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "uint64" | "int64" | "float32" | "float64";

/** One field of a struct. */
export interface StructField {
  readonly name: string;
  readonly scalar: Scalar;
  /** Elements of a fixed-length array; 0 for a single value. */
  readonly length: number;
  /** Byte offset in the struct. */
  readonly offset: number;
  readonly doc: readonly string[];
}

/** One struct. */
export interface StructShape {
  readonly name: string;
  readonly bytes: number;
  readonly align: number;
  readonly fields: readonly StructField[];
  readonly doc: readonly string[];
}

/** One named value of an enum. */
export interface EnumValue {
  readonly name: string;
  readonly value: bigint;
  readonly doc: readonly string[];
}

/** One enum. */
export interface EnumShape {
  readonly name: string;
  readonly scalar: Scalar;
  readonly values: readonly EnumValue[];
  readonly doc: readonly string[];
}

/** A schema as the generator needs it. */
export interface SchemaShape {
  /** Root table without namespace; empty when the schema only defines words. */
  readonly root: string;
  readonly identifier: string;
  /** The one required struct of the root table; absent for ordinary tables. */
  readonly body: StructShape | undefined;
  readonly enums: readonly EnumShape[];
}

const SCALARS = new Map<number, { scalar: Scalar; bytes: number }>([
  [3, { scalar: "int8", bytes: 1 }],
  [4, { scalar: "uint8", bytes: 1 }],
  [5, { scalar: "int16", bytes: 2 }],
  [6, { scalar: "uint16", bytes: 2 }],
  [7, { scalar: "int32", bytes: 4 }],
  [8, { scalar: "uint32", bytes: 4 }],
  [9, { scalar: "int64", bytes: 8 }],
  [10, { scalar: "uint64", bytes: 8 }],
  [11, { scalar: "float32", bytes: 4 }],
  [12, { scalar: "float64", bytes: 8 }],
]);
const ARRAY = 17;
const OBJECT = 15;

/** Size of a scalar in bytes. */
export function scalarBytes(scalar: Scalar): number {
  for (const entry of SCALARS.values()) if (entry.scalar === scalar) return entry.bytes;
  throw new Error(`no scalar is called ${scalar}`);
}

/** A table of the reflection schema; slots count from 0 in declaration order. */
class Table {
  readonly buffer: flatbuffers.ByteBuffer;
  readonly at: number;

  constructor(buffer: flatbuffers.ByteBuffer, at: number) {
    this.buffer = buffer;
    this.at = at;
  }

  private field(slot: number): number {
    const offset = this.buffer.__offset(this.at, 4 + 2 * slot);
    return offset === 0 ? 0 : this.at + offset;
  }

  i8(slot: number): number {
    const at = this.field(slot);
    return at === 0 ? 0 : this.buffer.readInt8(at);
  }

  u16(slot: number): number {
    const at = this.field(slot);
    return at === 0 ? 0 : this.buffer.readUint16(at);
  }

  i32(slot: number): number {
    const at = this.field(slot);
    return at === 0 ? 0 : this.buffer.readInt32(at);
  }

  i64(slot: number): bigint {
    const at = this.field(slot);
    return at === 0 ? 0n : this.buffer.readInt64(at);
  }

  text(slot: number): string {
    const at = this.field(slot);
    return at === 0 ? "" : String(this.buffer.__string(at));
  }

  child(slot: number): Table | undefined {
    const at = this.field(slot);
    return at === 0 ? undefined : new Table(this.buffer, this.buffer.__indirect(at));
  }

  children(slot: number): Table[] {
    return this.vector(slot).map((at) => new Table(this.buffer, this.buffer.__indirect(at)));
  }

  texts(slot: number): string[] {
    return this.vector(slot).map((at) => String(this.buffer.__string(at)));
  }

  private vector(slot: number): number[] {
    const at = this.field(slot);
    if (at === 0) return [];
    const start = this.buffer.__vector(at);
    return Array.from({ length: this.buffer.__vector_len(at) }, (_, i) => start + 4 * i);
  }
}

function words(doc: string[]): string[] {
  return doc.map((line) => line.trim());
}

function bare(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function readField(table: Table, owner: string): StructField {
  const name = table.text(0);
  const type = table.child(1);
  if (type === undefined) throw new Error(`${owner}.${name} has no type`);
  const base = type.i8(0);
  const scalar = SCALARS.get(base === ARRAY ? type.i8(1) : base)?.scalar;
  if (scalar === undefined) throw new Error(`${owner}.${name}: only scalars and arrays of scalars may stand in a hot struct`);
  return { name, scalar, length: base === ARRAY ? type.u16(3) : 0, offset: table.u16(3), doc: words(table.texts(10)) };
}

function readStruct(table: Table): StructShape {
  const name = bare(table.text(0));
  const fields = table.children(1).map((field) => readField(field, name)).sort((a, b) => a.offset - b.offset);
  const shape = { name, bytes: table.i32(4), align: table.i32(3), fields, doc: words(table.texts(6)) };
  let end = 0;
  for (const field of fields) {
    if (field.doc.length === 0) throw new Error(`${name}.${field.name}: say what it is in a /// line above it`);
    if (field.offset !== end) throw new Error(`${name}.${field.name}: ${field.offset - end} bytes of padding before it; name them`);
    end = field.offset + scalarBytes(field.scalar) * Math.max(1, field.length);
  }
  if (end !== shape.bytes) throw new Error(`${name}: ${shape.bytes - end} bytes of padding at the end; name them`);
  if (shape.align > 8) throw new Error(`${name}: alignment ${shape.align} exceeds the channels' 8 bytes`);
  return shape;
}

function readEnum(table: Table): EnumShape {
  const name = bare(table.text(0));
  const scalar = SCALARS.get(table.child(3)?.i8(0) ?? 0)?.scalar;
  if (scalar === undefined) throw new Error(`enum ${name} has no scalar type`);
  const values = table.children(1).map((value) => ({ name: value.text(0), value: value.i64(1), doc: words(value.texts(4)) }));
  return { name, scalar, values, doc: words(table.texts(5)) };
}

/**
 * Decodes a binary schema.
 *
 * @throws Error naming the struct and field when a hot struct has hidden padding, an undocumented field or a type that
 *   is no scalar
 */
export function reflect(bytes: Uint8Array): SchemaShape {
  const buffer = new flatbuffers.ByteBuffer(bytes);
  const schema = new Table(buffer, buffer.readInt32(0));
  const objects = schema.children(0);
  const root = schema.child(4);
  let body: StructShape | undefined;
  const only = root?.children(1);
  const type = only?.length === 1 ? only[0]?.child(1) : undefined;
  if (type !== undefined && type.i8(0) === OBJECT) {
    const target = objects[type.i32(2)];
    if (target !== undefined && target.i8(2) !== 0) body = readStruct(target);
  }
  const enums = schema.children(1).map(readEnum);
  return { root: root === undefined ? "" : bare(root.text(0)), identifier: schema.text(2), body, enums };
}
