//! Time for TypeScript: stamped into two words that JavaScript maps once, as 32-bit halves, so that no BigInt is made.

use crate::quick::{self, Shared};
use napi::Result;
use napi::bindgen_prelude::{ArrayBuffer, Env, This, Unknown};
use napi_derive::napi;
use std::cell::Cell;

/// Eight bytes: low half, high half.
const BYTES: usize = 8;

thread_local! {
    /// Where a stamp goes on this thread; null until `clock_words` was called.
    static STAMP: Cell<*mut u64> = const { Cell::new(core::ptr::null_mut()) };
}

/// Eight bytes of memory into which the function of `clockStamper` writes on this thread: low half, then high half.
#[napi]
pub fn clock_words(env: Env) -> Result<ArrayBuffer<'static>> {
    // Never freed: the buffer may outlive every other owner, and there is one per thread that asks.
    let words = Box::into_raw(Box::new(0u64));
    STAMP.set(words);
    // SAFETY: eight leaked bytes, valid for ever.
    unsafe { ArrayBuffer::from_external(&env, words.cast(), BYTES, (), |_, ()| ()) }
}

/// The function that writes the monotonic time in ns into the words of `clockWords`, and does nothing before that call.
/// Cost: one crossing and one read of the clock, about 50 ns.
#[napi(ts_return_type = "() => void")]
pub fn clock_stamper<'env>(env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
    quick::function(env, &this, "stamp", &Shared::default(), |(): &mut (), []| {
        let words = STAMP.get();
        if !words.is_null() {
            // SAFETY: leaked by `clock_words` on this thread; JavaScript's thread is in this call, so nothing else touches it. All
            // supported machines are little-endian, so the low half comes first.
            unsafe { words.write(tickline_clock::monotonic().0) };
        }
        Ok(())
    })
}

/// Wall-clock time in ns since 1970 as a number: exact to about 256 ns, for records people read.
#[napi]
pub fn clock_wall() -> f64 {
    tickline_clock::wall().0 as f64
}
