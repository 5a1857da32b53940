//! Frame sources and line arbitration: from bytes to an ordered message stream.
