//! Goal: payloads we write are ordinary FlatBuffers, and ordinary FlatBuffers are read by us.
//! Method: for each message random structs (any bits: every integer extreme, NaN) go through our side and the official
//! crate's, each field compared; then short, foreign and random bytes, which must be refused and never panic.

use proptest::prelude::*;
use tickline_wire::flat;
use zerocopy::{FromBytes, IntoBytes};

/// What flatc generates from the same schemas.
#[rustfmt::skip]
#[allow(
    unsafe_op_in_unsafe_fn, unused_imports, dead_code, mismatched_lifetime_syntaxes, clippy::all,
    clippy::undocumented_unsafe_blocks
)]
mod official {
    #[path = "control_generated.rs"] pub mod control;
    #[path = "features_generated.rs"] pub mod features;
    #[path = "fill_generated.rs"] pub mod fill;
    #[path = "journal_generated.rs"] pub mod journal;
    #[path = "order_generated.rs"] pub mod order;
    #[path = "signal_generated.rs"] pub mod signal;
}

/// 8-aligned memory, as a channel gives it.
#[repr(C, align(8))]
struct Aligned([u8; 512]);

/// Bits of a field, so that NaN equals itself.
trait Bits {
    fn bits(&self) -> Vec<u64>;
}

macro_rules! bits_of_integers {
    ($($type:ty),*) => { $(impl Bits for $type { fn bits(&self) -> Vec<u64> { vec![u64::from(*self)] } })* };
}
bits_of_integers!(u8, u16, u32, u64);

impl<const N: usize> Bits for [f32; N] {
    fn bits(&self) -> Vec<u64> {
        self.iter().map(|value| u64::from(value.to_bits())).collect()
    }
}

impl Bits for f32 {
    fn bits(&self) -> Vec<u64> {
        vec![u64::from(self.to_bits())]
    }
}

impl<const N: usize> Bits for flatbuffers::Array<'_, f32, N> {
    fn bits(&self) -> Vec<u64> {
        self.iter().map(|value| u64::from(value.to_bits())).collect()
    }
}

/// The same struct behind a vtable that stands after its table and knows one field more, as a newer writer might.
fn foreign(identifier: [u8; 4], body: &[u8], gap: usize) -> Vec<u8> {
    let table = 12 + 8 * gap;
    let start = table + 4;
    let vtable = start + body.len();
    let mut bytes = vec![0; vtable + 8];
    bytes[..4].copy_from_slice(&u32::try_from(table).expect("small").to_le_bytes());
    bytes[4..8].copy_from_slice(&identifier);
    let back = i32::try_from(table).expect("small") - i32::try_from(vtable).expect("small");
    bytes[table..table + 4].copy_from_slice(&back.to_le_bytes());
    bytes[start..vtable].copy_from_slice(body);
    let size = u16::try_from(4 + body.len()).expect("small");
    for (i, half) in [8u16, size, 4, 0].into_iter().enumerate() {
        bytes[vtable + 2 * i..vtable + 2 * i + 2].copy_from_slice(&half.to_le_bytes());
    }
    bytes
}

macro_rules! message {
    ($name:ident, $table:ident, $body:ident, $args:ident, $bytes:ident, $prefix:ident, $id:ident,
     $root:ident, $finish:ident, $has:ident, [$($field:ident),*]) => {
        mod $name {
            use super::*;
            use flat::$name::{$body, $bytes, $id, $prefix, place, read, read_copy, write};

            use official::$name::tickline as peer;

            fn any_body() -> impl Strategy<Value = $body> {
                proptest::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(0), 1 => Just(255)], size_of::<$body>())
                    .prop_map(|bytes| $body::read_from_bytes(&bytes).expect("as many bytes as the struct"))
            }

            fn same(ours: &$body, theirs: &peer::$body) {
                $(assert_eq!(ours.$field.bits(), theirs.$field().bits(), stringify!($field));)*
                assert_eq!(ours.as_bytes(), theirs.0);
            }

            proptest! {
                #[test]
                fn what_we_write_the_official_crate_reads(body in any_body(), spare in 0usize..16) {
                    let mut bytes = vec![0xAA; $bytes + spare];
                    prop_assert!(write(&mut bytes, &body));
                    prop_assert!(bytes[$bytes..].iter().all(|byte| *byte == 0xAA));
                    let bytes = &bytes[..$bytes];
                    prop_assert!(peer::$has(bytes));
                    same(&body, peer::$root(bytes).expect("verified").body());
                }

                #[test]
                fn what_the_official_crate_writes_we_read(body in any_body()) {
                    let mut builder = flatbuffers::FlatBufferBuilder::new();
                    let theirs = peer::$body(body.as_bytes().try_into().expect("as many bytes"));
                    let root = peer::$table::create(&mut builder, &peer::$args { body: Some(&theirs) });
                    peer::$finish(&mut builder, root);
                    let ours = read_copy(builder.finished_data()).expect("an ordinary buffer");
                    same(&ours, &theirs);
                }

                #[test]
                fn a_vtable_behind_its_table_is_read_by_both(body in any_body(), gap in 0usize..4) {
                    let bytes = foreign($id, body.as_bytes(), gap);
                    same(&read_copy(&bytes).expect("an ordinary buffer"), peer::$root(&bytes).expect("verified").body());
                }

                #[test]
                fn random_bytes_never_panic(mut noise in proptest::collection::vec(any::<u8>(), 0..2 * $bytes), marked: bool) {
                    if marked && noise.len() >= 8 {
                        noise[4..8].copy_from_slice(&$id);
                    }
                    let found = read_copy(&noise);
                    prop_assert!(marked || found.is_none());
                }
            }

            #[test]
            fn in_place_reading_and_writing_share_memory() {
                let mut memory = Aligned([0; 512]);
                let body = place(&mut memory.0).expect("aligned and long enough");
                body.as_mut_bytes().fill(7);
                let wanted = *body;
                assert_eq!(&memory.0[..32], &$prefix);
                let found = read(&memory.0[..$bytes]).expect("our own payload");
                assert_eq!(found.as_bytes(), wanted.as_bytes());
                assert!(core::ptr::eq(core::ptr::from_ref(found).cast::<u8>(), &raw const memory.0[32]));
            }

            #[test]
            fn a_misaligned_payload_is_copied_and_not_lent() {
                let mut memory = Aligned([0; 512]);
                assert!(write(&mut memory.0[4..], &$body::default()));
                assert!(read(&memory.0[4..]).is_none());
                assert!(read_copy(&memory.0[4..]).is_some());
                assert!(place(&mut memory.0[4..]).is_none());
            }

            #[test]
            fn one_byte_short_is_refused_and_untouched() {
                let mut memory = Aligned([0xAA; 512]);
                assert!(!write(&mut memory.0[..$bytes - 1], &$body::default()));
                assert!(place(&mut memory.0[..$bytes - 1]).is_none());
                assert!(memory.0.iter().all(|byte| *byte == 0xAA));
                assert!(write(&mut memory.0, &$body::default()));
                for length in 0..$bytes {
                    assert!(read(&memory.0[..length]).is_none(), "{length} bytes");
                    assert!(read_copy(&memory.0[..length]).is_none(), "{length} bytes");
                }
            }

            #[test]
            fn another_identifier_and_an_absent_struct_are_refused() {
                let mut bytes = vec![0; $bytes];
                assert!(write(&mut bytes, &$body::default()));
                for at in 4..8 {
                    let mut other = bytes.clone();
                    other[at] ^= 1;
                    assert!(read_copy(&other).is_none());
                }
                bytes[12] = 0;
                assert!(read_copy(&bytes).is_none());
            }
        }
    };
}

message!(
    control,
    Control,
    ControlBody,
    ControlArgs,
    CONTROL_BYTES,
    CONTROL_PREFIX,
    CONTROL_ID,
    root_as_control,
    finish_control_buffer,
    control_buffer_has_identifier,
    [id, time_ns, epoch, verb, status, argument]
);
message!(
    features,
    Features,
    FeaturesBody,
    FeaturesArgs,
    FEATURES_BYTES,
    FEATURES_PREFIX,
    FEATURES_ID,
    root_as_features,
    finish_features_buffer,
    features_buffer_has_identifier,
    [
        seq, time_ns, due_ns, feed_ns, venue_ns, instrument, flags, bid, ask, bid_qty, ask_qty, last_price,
        last_qty, reserved, levels, values
    ]
);
message!(
    fill,
    Fill,
    FillBody,
    FillArgs,
    FILL_BYTES,
    FILL_PREFIX,
    FILL_ID,
    root_as_fill,
    finish_fill_buffer,
    fill_buffer_has_identifier,
    [
        decision,
        exec_id,
        due_ns,
        venue_ns,
        sent_ns,
        received_ns,
        epoch,
        user_ref,
        token,
        price,
        qty,
        leaves,
        instrument,
        strategy,
        side,
        kind,
        reason,
        recovered,
        lane,
        reserved,
        reserved2
    ]
);
message!(
    journal,
    Journal,
    JournalBody,
    JournalArgs,
    JOURNAL_BYTES,
    JOURNAL_PREFIX,
    JOURNAL_ID,
    root_as_journal,
    finish_journal_buffer,
    journal_buffer_has_identifier,
    [seq, time_ns, stamp_ns, epoch, kind, source, bytes, crc]
);
message!(
    order,
    Order,
    OrderBody,
    OrderArgs,
    ORDER_BYTES,
    ORDER_PREFIX,
    ORDER_ID,
    root_as_order,
    finish_order_buffer,
    order_buffer_has_identifier,
    [
        decision, time_ns, due_ns, feed_ns, predict_ns, signal_ns, risk_ns, model_hash, epoch, token,
        instrument, strategy, side, lane, kind, tif, price, qty, target, reserved
    ]
);
message!(
    signal,
    Signal,
    SignalBody,
    SignalArgs,
    SIGNAL_BYTES,
    SIGNAL_PREFIX,
    SIGNAL_ID,
    root_as_signal,
    finish_signal_buffer,
    signal_buffer_has_identifier,
    [
        seq, time_ns, due_ns, feed_ns, predict_ns, signal_ns, model_hash, instrument, strategy, side, lane,
        reason, price, qty, confidence, bid, ask, prediction, reserved
    ]
);
