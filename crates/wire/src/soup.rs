//! SoupBinTCP 3.00: packets on a TCP byte stream.
//!
//! Every packet is `length: u16` (big-endian, without itself), `type: u8`, payload. The sequence of a server's
//! messages is implicit: the count of `S` packets, started by the number in `Login Accepted`.
//! Source: Nasdaq SoupBinTCP 3.00, section 2.

mod client;
mod error;
mod framer;
mod server;
mod text;

pub use client::{ClientPacket, Login};
pub use error::SoupError;
pub use framer::{Framer, Packet};
pub use server::{Accepted, RejectReason, ServerPacket};

/// Bytes of the length and the type in front of a payload.
pub const HEADER_BYTES: usize = 3;

/// Writes a packet's length and type, then its payload; returns the bytes written.
///
/// # Errors
/// [`SoupError::NoRoom`] when `out` is shorter than the packet or the packet than its length field allows; `out` is unchanged.
#[inline]
pub fn frame(kind: u8, payload: &[u8], out: &mut [u8]) -> Result<usize, SoupError> {
    let bytes = HEADER_BYTES + payload.len();
    if payload.len() >= u16::MAX as usize || bytes > out.len() {
        return Err(SoupError::NoRoom { need: bytes, have: out.len() });
    }
    out[..2].copy_from_slice(&(payload.len() as u16 + 1).to_be_bytes());
    out[2] = kind;
    out[HEADER_BYTES..bytes].copy_from_slice(payload);
    Ok(bytes)
}
