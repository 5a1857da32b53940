//! Doorbells for TypeScript.

use crate::segment::refused;
use napi::Result;
use napi_derive::napi;
use tickline_ring::bell;

/// One end of a doorbell: a FIFO in the run's folder. The same for who rings and who waits.
#[napi]
pub struct NativeBell {
    bell: bell::Bell,
}

#[napi]
impl NativeBell {
    /// Makes the FIFO if needed and opens it.
    /// @throws RING_IO
    #[napi(factory)]
    pub fn create(path: String) -> Result<NativeBell> {
        Ok(NativeBell { bell: bell::Bell::create(path).map_err(refused)? })
    }

    /// Opens an existing FIFO.
    /// @throws RING_IO
    #[napi(factory)]
    pub fn open(path: String) -> Result<NativeBell> {
        Ok(NativeBell { bell: bell::Bell::open(path).map_err(refused)? })
    }

    /// Wakes the sleeper; a system call.
    #[napi]
    pub fn ring(&self) {
        self.bell.ring();
    }

    /// Blocks this thread until the bell rings, descriptor `other` (-1: none) can be read, or `timeoutNs` have passed. Returns bit 0
    /// for the bell and bit 1 for the descriptor.
    #[napi]
    pub fn wait(&self, other: i32, timeout_ns: f64) -> u32 {
        let timeout_ns = if timeout_ns > 0.0 { timeout_ns as u64 } else { 0 };
        let others = [other];
        let woken = self.bell.wait(if other >= 0 { &others } else { &[] }, timeout_ns);
        u32::from(woken.bell) | (woken.others & 1) << 1
    }
}
