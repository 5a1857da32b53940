/** Captures made byte by byte, for tests. */

/** An ITCH message: letter, then the fields after the header as [bytes, value]. Locate is 1, time is 0. */
export function itch(letter: string, ...fields: [number, bigint | string][]): Buffer {
  const body = fields.map(([bytes, value]) => {
    if (typeof value === "string") return Buffer.from(value.padEnd(bytes));
    return Buffer.from(value.toString(16).padStart(bytes * 2, "0"), "hex");
  });
  return Buffer.concat([Buffer.from(letter), Buffer.from("00010000000000000000", "hex"), ...body]);
}

/** An Add Order of symbol TEST. */
export const add = (ref: bigint, side: string, shares: bigint, price: bigint): Buffer =>
  itch("A", [8, ref], [1, side], [4, shares], [8, "TEST"], [4, price]);

/** One MoldUDP64 packet. */
export function mold(sequence: bigint, messages: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(20);
  head.write("SESSION001");
  head.writeBigUInt64BE(sequence, 10);
  head.writeUInt16BE(messages.length, 18);
  const blocks = messages.flatMap((message) => [Buffer.from([message.length >> 8, message.length & 255]), message]);
  return Buffer.concat([head, ...blocks]);
}

/** Ethernet, IPv4 and UDP around one MoldUDP64 packet to 233.0.0.LINE:26400. */
export function frame(line: number, sequence: bigint, messages: readonly Buffer[]): Buffer {
  return udp([233, 0, 0, line], 26_400, mold(sequence, messages));
}

/** Ethernet, IPv4 and UDP around any payload. */
export function udp(to: readonly number[], port: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(port, 2);
  head.writeUInt16BE(8 + payload.length, 4);
  return ip(17, to, Buffer.concat([head, payload]));
}

/** Ethernet, IPv4 and TCP around any payload. */
export function tcp(to: readonly number[], port: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(port, 2);
  head[12] = 0x50;
  head[13] = 0x18;
  return ip(6, to, Buffer.concat([head, payload]));
}

/** Who has 10.0.0.2? */
export function arp(): Buffer {
  const frame = Buffer.alloc(60);
  frame.fill(0xff, 0, 6);
  frame.writeUInt16BE(0x0806, 12);
  frame.set([0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2], 14);
  return frame;
}

function ip(protocol: number, to: readonly number[], payload: Uint8Array): Buffer {
  const head = Buffer.alloc(34);
  head.writeUInt16BE(0x0800, 12);
  head[14] = 0x45;
  head.writeUInt16BE(20 + payload.length, 16);
  head[22] = 64;
  head[23] = protocol;
  head.set(to, 30);
  return Buffer.concat([head, payload]);
}

/** A nanosecond pcap with one frame each microsecond, or each at its own time: `second`, and so many ns (below 2^32). */
export function pcap(frames: readonly Buffer[], second = 1_700_000_000, ns = (nth: number): number => nth * 1_000): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b23c4d, 0);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  const records = frames.flatMap((bytes, nth) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(second, 0);
    record.writeUInt32LE(ns(nth), 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    return [record, bytes];
  });
  return Buffer.concat([head, ...records]);
}
