//! Goal: what was written comes back, a torn tail is recognised and cut, and any other damage is one precise error.
//! Method: random journals over random segment sizes; cut at any byte, one bit flipped anywhere, a segment taken away; held against what
//! was written and against where its entries lie.

mod rig;

use proptest::prelude::*;
use rig::{Folder, Said, offsets, open, read, write};
use std::fs;
use tickline_journal::*;
use tickline_trials::trials;
use tickline_wire::flat::journal::JournalBody;

fn said() -> impl Strategy<Value = Said> {
    let payload = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..200),
        1 => prop::collection::vec(any::<u8>(), 1400..5000),
    ];
    (1u16..=6, 0u16..3, any::<u64>(), any::<u64>(), any::<u32>(), payload).prop_map(
        |(kind, source, time_ns, stamp_ns, epoch, payload)| {
            let body = JournalBody { kind, source, time_ns, stamp_ns, epoch, ..Default::default() };
            Said { body, payload }
        },
    )
}

fn journal() -> impl Strategy<Value = (Vec<Said>, u64)> {
    (prop::collection::vec(said(), 1..80), SEGMENT_BYTES_MIN..20_000)
}

/// Entries, headers left out, that lie before byte `offset` of segment `nth`.
fn before(segments: &[(std::path::PathBuf, Vec<u8>)], nth: usize, offset: usize) -> usize {
    let whole: usize = segments[..nth].iter().map(|(_, bytes)| offsets(bytes).len() - 2).sum();
    let part = offsets(&segments[nth].1).windows(2).filter(|pair| pair[1] <= offset).count();
    whole + part.saturating_sub(1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(trials(200, 5_000)))]

    #[test]
    fn what_was_written_comes_back_in_segments_that_keep_to_their_size((said, limit) in journal()) {
        let folder = Folder::new();
        write(&folder.0, &said, limit);
        prop_assert_eq!(read(&folder.0), (said.clone(), Ok(None)));
        let segments = folder.segments();
        for (path, bytes) in &segments {
            prop_assert!(bytes.len() as u64 <= limit || offsets(bytes).len() == 3, "{}", path.display());
            let (part, end) = read(path);
            prop_assert_eq!(end, Ok(None), "a segment can be read alone");
            prop_assert!(said.windows(part.len().max(1)).any(|window| window == part) || part.is_empty());
        }
        let found = info(&folder.0).unwrap();
        prop_assert_eq!(found.segments.len(), segments.len());
        prop_assert_eq!(found.entries as usize, said.len() + segments.len());
        prop_assert_eq!(found.bytes as usize, segments.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
        prop_assert_eq!(found.runs.len(), 1);
        let frames = said.iter().filter(|one| one.body.kind == kind::FRAME).count() as u64;
        prop_assert_eq!(found.runs[0].kinds.get("frame").map_or(0, |kind| kind.entries), frames);
    }

    #[test]
    fn a_journal_cut_at_any_byte_keeps_every_whole_entry_and_goes_on((said, limit) in journal(), at in any::<prop::sample::Index>()) {
        let folder = Folder::new();
        write(&folder.0, &said, limit);
        let segments = folder.segments();
        let (path, bytes) = segments.last().unwrap();
        let cut = at.index(bytes.len());
        fs::OpenOptions::new().write(true).open(path).unwrap().set_len(cut as u64).unwrap();

        let kept = before(&segments, segments.len() - 1, cut);
        let whole = offsets(bytes).iter().copied().rfind(|&offset| offset <= cut);
        // Without its header a segment has nothing whole: torn from its first byte or from its first entry on.
        let torn = match whole {
            Some(offset) if offset == cut && cut > 32 => None,
            Some(offset) if cut > 32 => Some(Torn { offset: offset as u64, bytes: (cut - offset) as u64 }),
            _ => Some(Torn { offset: 0, bytes: cut as u64 }),
        };
        prop_assert_eq!(read(&folder.0), (said[..kept].to_vec(), Ok(torn)));
        prop_assert_eq!(info(&folder.0).unwrap().torn.map(|torn| torn.bytes), torn.map(|torn| torn.bytes));

        // The next recorder cuts it off, and says so.
        let mut writer = open(&folder.0, 1, limit);
        let more = Said { body: JournalBody { kind: kind::FRAME, ..Default::default() }, payload: b"more".to_vec() };
        writer.append(&more.body, &more.payload).unwrap();
        writer.close().unwrap();
        let mut all = said[..kept].to_vec();
        all.push(more);
        prop_assert_eq!(read(&folder.0), (all, Ok(None)));
        let run = &info(&folder.0).unwrap().runs[0];
        let headless = whole.is_none_or(|offset| offset == 32);
        let removed = if headless { cut as u64 } else { torn.map_or(0, |torn| torn.bytes) };
        // With nothing left of the run there is nothing to go on from.
        if segments.len() > 1 || !headless {
            prop_assert_eq!((run.restarts, run.cut), (1, removed));
        }
    }

    #[test]
    fn one_flipped_bit_anywhere_is_found_where_it_is((said, limit) in journal(), segment in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let folder = Folder::new();
        write(&folder.0, &said, limit);
        let segments = folder.segments();
        let nth = segment.index(segments.len());
        let (path, bytes) = &segments[nth];
        let place = at.index(bytes.len());
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << bit;
        fs::write(path, &flipped).unwrap();

        let offset = offsets(bytes).into_iter().rfind(|&offset| offset <= place).unwrap_or(0);
        let kept = before(&segments, nth, offset);
        let last_entry = offsets(bytes).iter().rev().nth(1) == Some(&offset);
        let (found, end) = read(&folder.0);
        prop_assert_eq!(&found, &said[..kept]);
        match end {
            // Nothing whole stands behind the last entry of all, so it cannot be told from one that was never finished.
            Ok(torn) => {
                prop_assert!(nth == segments.len() - 1 && last_entry, "silent in segment {} byte {}", nth, place);
                prop_assert_eq!(torn, Some(Torn { offset: offset as u64, bytes: (bytes.len() - offset) as u64 }));
            }
            Err(fault) => {
                prop_assert_eq!(&fault.file, &path.display().to_string());
                let Cause::Damaged { offset: told, .. } = fault.cause else { panic!("{fault}") };
                prop_assert_eq!(told, offset as u64);
            }
        }
    }

    #[test]
    fn a_segment_taken_away_or_cut_between_two_others_is_missed((said, limit) in (prop::collection::vec(said(), 60..90), Just(SEGMENT_BYTES_MIN)), segment in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let folder = Folder::new();
        write(&folder.0, &said, limit);
        let segments = folder.segments();
        prop_assume!(segments.len() > 2);
        let nth = segment.index(segments.len() - 2) + 1;
        let (path, bytes) = &segments[nth];
        let (next, next_bytes) = &segments[nth + 1];
        let cut = at.index(bytes.len());
        fs::write(path, &bytes[..cut]).unwrap();
        let fault = read(&folder.0).1.unwrap_err();
        if offsets(bytes).contains(&cut) && cut > 32 {
            prop_assert_eq!(&fault.file, &next.display().to_string(), "cut between two entries: the next segment does not go on there");
            prop_assert_eq!(fault.code(), "JOURNAL_MISSING");
        } else {
            prop_assert_eq!(&fault.file, &path.display().to_string());
            prop_assert_eq!(fault.code(), "JOURNAL_DAMAGED");
        }
        fs::remove_file(path).unwrap();
        let fault = read(&folder.0).1.unwrap_err();
        prop_assert_eq!(&fault.file, &next.display().to_string());
        let first = u64::from_le_bytes(bytes[32..40].try_into().unwrap());
        prop_assert_eq!(fault.cause, Cause::Missing { expected: first });
        prop_assert!(!next_bytes.is_empty());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), prefix in any::<bool>()) {
        let folder = Folder::new();
        let path = folder.0.join(segment_name(1));
        let mut all = if prefix { tickline_wire::flat::journal::JOURNAL_PREFIX.to_vec() } else { Vec::new() };
        all.extend(bytes);
        fs::write(&path, &all).unwrap();
        let (found, _) = read(&folder.0);
        prop_assert!(found.is_empty());
    }
}
