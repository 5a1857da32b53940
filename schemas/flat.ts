/**
 * What every generated view shares: the payload's layout and the ordinary FlatBuffers path to a table's one struct.
 *
 * A payload of ours is a constant 32-byte prefix followed by the struct:
 *
 *     0  u32  28           root offset: the table starts at byte 28
 *     4  u32  file identifier
 *     8  u16  6            vtable: its own size
 *    10  u16  4 + struct   size of the table
 *    12  u16  4            place of the struct in the table
 *    14       zero
 *    28  i32  20           the table's way back to its vtable
 *    32       the struct
 */

/** Byte offset of the struct in a payload of ours. */
export const PREFIX_BYTES = 32;

/** What a view looks at before its first `wrap`: reading it throws `RangeError`, as reading past any end does. */
export const EMPTY = new DataView(new ArrayBuffer(0));

/** True when `payload <= end` bytes of `view` from `at` are in bounds; NaN and negative values are not. */
function within(at: number, bytes: number, end: number): boolean {
  return at >= 0 && at + bytes <= end;
}

/**
 * Finds the struct of a root table whose first field it is, whatever the vtable looks like.
 *
 * @param at byte offset of the buffer's first byte in `view`
 * @param end byte offset just past the buffer; at most `view.byteLength`
 * @param id file identifier as a little-endian u32
 * @param structBytes size of the struct
 * @returns the struct's byte offset in `view`, or -1 when the bytes are not such a buffer: short, another identifier,
 *   an offset that leaves the buffer, or the struct absent
 */
export function locate(view: DataView, at: number, end: number, id: number, structBytes: number): number {
  const limit = Math.min(end, view.byteLength);
  if (!Number.isInteger(at) || !within(at, 8, limit)) return -1;
  if (view.getUint32(at + 4, true) !== id) return -1;
  const table = at + view.getUint32(at, true);
  if (!within(table, 4, limit)) return -1;
  const vtable = table - view.getInt32(table, true);
  if (!(vtable >= at) || !within(vtable, 6, limit)) return -1;
  if (!(view.getUint16(vtable, true) >= 6)) return -1;
  const field = view.getUint16(vtable + 4, true);
  if (!(field >= 4) || !within(table + field, structBytes, limit)) return -1;
  return table + field;
}
