//! Segments for TypeScript: created, mapped once as an external ArrayBuffer, and shared with other doors.

use napi::bindgen_prelude::{ArrayBuffer, Env};
use napi::{Error, Result};
use napi_derive::napi;
use std::sync::Arc;
use tickline_ring::{Segment, SegmentError, Shape};

/// An error of the ring room; its text begins with the stable code.
pub(crate) fn refused(error: SegmentError) -> Error {
    Error::from_reason(error.to_string())
}

/// Creates a segment, exclusively. `kind` is "lossless", "broadcast", "latest", "control" or "plain"; `slots` counts records (ring
/// kinds); `payload` is bytes per record, of the value, or after the header ("plain").
/// @throws RING_EXISTS, RING_SHAPE, RING_IO
#[napi]
pub fn segment_create(path: String, kind: String, slots: u32, payload: u32) -> Result<()> {
    let payload = payload as usize;
    let shape = match kind.as_str() {
        "lossless" => Shape::Lossless { slots, payload },
        "broadcast" => Shape::Broadcast { slots, payload },
        "latest" => Shape::Latest { payload },
        "control" => Shape::Control,
        "plain" => Shape::Plain { bytes: payload },
        other => {
            return Err(Error::from_reason(format!(
                "RING_SHAPE: segment {path}: kind is {other}, accepted is lossless, broadcast, latest, control, plain"
            )));
        }
    };
    Segment::create(path, shape).map(drop).map_err(refused)
}

/// Removes a segment's file; a missing one is fine.
/// @throws RING_IO
#[napi]
pub fn segment_remove(path: String) -> Result<()> {
    tickline_ring::remove(path).map_err(refused)
}

/// Maps a segment whole and hands it over as an ArrayBuffer over the same memory. It is unmapped when the buffer is collected.
/// A read-only mapping must not be stored to: that ends the process.
/// @throws RING_HEADER when this build did not make it, RING_IO
#[napi]
pub fn segment_map(env: Env, path: String, writable: bool) -> Result<ArrayBuffer<'static>> {
    let segment = if writable { Segment::open(path) } else { Segment::open_read_only(path) };
    let segment = Arc::new(segment.map_err(refused)?);
    let (base, bytes) = (segment.base(), segment.bytes());
    // SAFETY: `base` points to `bytes` bytes that stay mapped until `segment` is dropped, by the finalizer.
    let buffer =
        unsafe { ArrayBuffer::from_external(&env, base, bytes, segment, |_, segment| drop(segment))? };
    if buffer.as_ptr() != base.cast_const() {
        return Err(Error::from_reason(
            "RING_COPY: this runtime copies external buffers, so shared memory cannot work in it; use the pinned Node 24",
        ));
    }
    Ok(buffer)
}

/// Adds one to the 32-bit word at byte `at` as native code sees the buffer; with a look from JavaScript afterwards this proves that
/// both sides see one memory.
#[napi]
pub fn segment_bump(mut buffer: ArrayBuffer, at: u32) -> Result<()> {
    // SAFETY: nothing else borrows the bytes during this call on JavaScript's thread.
    let bytes = unsafe { buffer.as_mut() };
    let at = at as usize;
    let Some(word) = bytes.get_mut(at..at + 4) else {
        return Err(Error::from_reason(format!("RING_SHAPE: byte {at} lies outside the buffer")));
    };
    let value = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_add(1);
    word.copy_from_slice(&value.to_le_bytes());
    Ok(())
}
