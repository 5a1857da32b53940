//! Kept inputs: small files that once showed something new, one folder per target.

use std::fs;
use std::path::{Path, PathBuf};

/// Largest input kept.
const KEPT_BYTES_MAX: usize = 512;

/// Most files per target.
const KEPT_MAX: usize = 48;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// A target's kept inputs, in the order of their names.
pub fn read(target: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder(target)) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

/// Keeps inputs, named by their content, until there are enough.
pub fn keep(target: &str, inputs: &[Vec<u8>]) -> std::io::Result<usize> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let mut room = KEPT_MAX.saturating_sub(fs::read_dir(&folder)?.count());
    let mut kept = 0;
    for input in inputs.iter().filter(|input| input.len() <= KEPT_BYTES_MAX) {
        let path = folder.join(format!("{:016x}", hash(input)));
        if room > 0 && !path.exists() {
            fs::write(path, input)?;
            room -= 1;
            kept += 1;
        }
    }
    Ok(kept)
}

/// FNV-1a.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}
