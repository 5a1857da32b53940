//! Rest for the host's idle loop.

use napi_derive::napi;

/// Gives the core to another thread that waits for it, once; returns at once when none does.
#[napi]
pub fn yield_core() {
    std::thread::yield_now();
}
