//! The file that a training run goes on from after a crash.
use napi::{Error, Result};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tickline_model::file;

/// First bytes of the file. Then, little-endian: identity of the run (u64), length of the note (u64), the note, the run's state, and a
/// digest of all that (u64).
const MAGIC: [u8; 8] = *b"TLTRAIN2";

/// The refusal of a file.
pub(super) fn refused(path: &Path, why: &str) -> Error {
    let name = path.display();
    Error::from_reason(format!("TRAIN_CHECKPOINT: {name}: {why}; remove it to begin anew"))
}

/// Writes the file whole or not at all, and to the disk.
pub(super) fn write(path: &Path, identity: u64, note: &str, state: &[u8]) -> Result<()> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(identity.to_le_bytes());
    bytes.extend((note.len() as u64).to_le_bytes());
    bytes.extend(note.as_bytes());
    bytes.extend(state);
    let sum = file::digest(bytes.iter().copied());
    bytes.extend(sum.to_le_bytes());
    let partial = PathBuf::from(format!("{}.partial", path.display()));
    let kept = std::fs::File::create(&partial)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&partial, path));
    kept.map_err(|error| refused(path, &error.to_string()))
}

/// The note and the state of a run of this identity; `None` where there is no file.
pub(super) fn read(path: &Path, identity: u64) -> Result<Option<(String, Vec<u8>)>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(path, &error.to_string())),
    };
    let (own, note, state) = parts(&bytes).ok_or_else(|| refused(path, "damaged, or no checkpoint"))?;
    if own != identity {
        return Err(refused(path, "of other rows, another network or other settings"));
    }
    Ok(Some((note, state.to_vec())))
}

fn parts(bytes: &[u8]) -> Option<(u64, String, &[u8])> {
    let (body, sum) = bytes.split_last_chunk::<8>()?;
    if file::digest(body.iter().copied()) != u64::from_le_bytes(*sum) {
        return None;
    }
    let (identity, rest) = body.strip_prefix(&MAGIC)?.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (note, state) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((u64::from_le_bytes(*identity), String::from_utf8(note.to_vec()).ok()?, state))
}
