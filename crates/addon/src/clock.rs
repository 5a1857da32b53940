//! Time for TypeScript: stamped into two words that JavaScript maps once, as 32-bit halves, so that no BigInt is made.

use napi::Result;
use napi::bindgen_prelude::{ArrayBuffer, Env};
use napi_derive::napi;
use std::cell::Cell;

/// Eight bytes: low half, high half.
const BYTES: usize = 8;

thread_local! {
    /// Where `clock_stamp` writes on this thread; null until `clock_words` was called.
    static STAMP: Cell<*mut u64> = const { Cell::new(core::ptr::null_mut()) };
}

/// Eight bytes of memory into which `clockStamp` writes on this thread: low half, then high half.
#[napi]
pub fn clock_words(env: Env) -> Result<ArrayBuffer<'static>> {
    // Never freed: the buffer may outlive every other owner, and there is one per thread that asks.
    let words = Box::into_raw(Box::new(0u64));
    STAMP.set(words);
    // SAFETY: eight leaked bytes, valid for ever.
    unsafe { ArrayBuffer::from_external(&env, words.cast(), BYTES, (), |_, ()| ()) }
}

/// Writes the monotonic time in ns into the words of `clockWords`; does nothing before that call.
/// Cost: one Node-API call and one read of the clock, 40-60 ns.
#[napi]
pub fn clock_stamp() {
    let words = STAMP.get();
    if !words.is_null() {
        // SAFETY: leaked by `clock_words` on this thread; JavaScript's thread is in this call, so nothing else touches it. All
        // supported machines are little-endian, so the low half comes first.
        unsafe { words.write(tickline_clock::monotonic().0) };
    }
}

/// Wall-clock time in ns since 1970 as a number: exact to about 256 ns, for records people read.
#[napi]
pub fn clock_wall() -> f64 {
    tickline_clock::wall().0 as f64
}
