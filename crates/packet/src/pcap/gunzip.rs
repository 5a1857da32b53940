//! Decompression by magic, repeated while what comes out is gzip again.

use super::fault::Cause;
use flate2::bufread::MultiGzDecoder;
use std::io::{ErrorKind, Read};

const MAGIC: [u8; 2] = [0x1F, 0x8B];

/// Wrappings that are peeled off; more is refused as damaged, since nobody does that on purpose.
const DEPTH_MAX: u32 = 3;

/// The bytes themselves, or what they decompress to; at most `limit` bytes come out.
pub(super) fn unwrapped(mut bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, Cause> {
    let mut depth = 0;
    while bytes.starts_with(&MAGIC) {
        if depth == DEPTH_MAX {
            return Err(Cause::GzipDamaged("gzip inside gzip, too deep".into()));
        }
        depth += 1;
        bytes = inflated(&bytes, limit)?;
    }
    Ok(bytes)
}

fn inflated(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Cause> {
    let mut out = Vec::with_capacity((bytes.len() * 4).min(1 << 28));
    match MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut out) {
        Ok(_) if out.len() as u64 > limit => Err(Cause::TooLarge { limit }),
        Ok(_) => Ok(out),
        Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => Err(Cause::GzipTruncated(out.len() as u64)),
        Err(fault) => Err(Cause::GzipDamaged(fault.to_string())),
    }
}
