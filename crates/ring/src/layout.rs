//! Where everything lies in a segment. `README.md` shows the same as byte tables; `LAYOUT` is the text both languages hash.

/// First eight bytes of every segment: "TICKLINE".
pub const MAGIC: u64 = u64::from_le_bytes(*b"TICKLINE");

/// Raised when an old reader must not read a new segment.
pub const LAYOUT_VERSION: u32 = 2;

/// Header: magic, u64.
pub const AT_MAGIC: usize = 0;
/// Header: layout version, u32.
pub const AT_VERSION: usize = 8;
/// Header: kind of channel, u32 (`Kind`).
pub const AT_KIND: usize = 12;
/// Header: hash of `LAYOUT` and the name lists, u64.
pub const AT_HASH: usize = 16;
/// Header: bytes of the whole segment, u64.
pub const AT_BYTES: usize = 24;
/// Header: slots of a channel, u32; 0 where there are none.
pub const AT_SLOTS: usize = 32;
/// Header: bytes from one slot to the next, u32; 0 where there are none.
pub const AT_STRIDE: usize = 36;

/// Writer's line: writer epoch, u32.
pub const AT_EPOCH: usize = 128;
/// Writer's line: sequence the writer will use next; a hint, the records are the truth. Two u32: the low half of the sequence, then how
/// many half turns (2^31) it has made, which is stored first.
pub const AT_TAIL: usize = 136;
/// Writer's line, `latest` only: what was published last, u32 (count << 2 | slot).
pub const AT_PUBLISHED: usize = 144;
/// Reader's line, `lossless` only: sequence the reader will read next, as two u32 like the tail.
pub const AT_HEAD: usize = 256;
/// First slot; also where the control block and plain segments begin.
pub const AT_DATA: usize = 512;

/// Record: payload bytes, u32.
pub const RECORD_LENGTH: usize = 0;
/// Record: kind of message, u32; the channel's users agree on it.
pub const RECORD_KIND: usize = 4;
/// Record: sequence, u64. Its low half is the commit word, stored last. Until then it is that of an earlier lap, or in a broadcast
/// channel `!sequence`.
pub const RECORD_SEQUENCE: usize = 8;
/// Record: epoch of the writer that wrote it, u32.
pub const RECORD_EPOCH: usize = 16;
/// Record: the writer's time stamp in ns, u64; 0 when it gave none.
pub const RECORD_STAMP: usize = 24;
/// Record: first payload byte.
pub const RECORD_PAYLOAD: usize = 32;

/// Slots and segments are whole cache lines.
pub const LINE: usize = 64;
/// Largest number of slots of a channel.
pub const SLOTS_MAX: u32 = 1 << 24;
/// Largest payload of a record, in bytes.
pub const PAYLOAD_MAX: usize = 1 << 20;

/// The layout in words, the same text in `services/kit/ring/layout.ts`.
pub const LAYOUT: &str = "header magic@0:u64 version@8:u32 kind@12:u32 hash@16:u64 bytes@24:u64 slots@32:u32 stride@36:u32; \
writer epoch@128:u32 tail@136:u32 tail_half_turns@140:u32 published@144:u32; reader head@256:u32 head_half_turns@260:u32; data@512; \
record length@0:u32 kind@4:u32 sequence@8:u64 epoch@16:u32 stamp@24:u64 payload@32; \
line armed@0:u32 cause@4:u32 cause_ns@8:u64 run@16:u64 epoch@24:u32 text@64:192; \
service@512+290816: state@0:u32 pid@4:u32 epoch@8:u32 restarts@12:u32 bell@16:u32 name@32:32 heartbeat@64:cell horizon@128:cell \
sent@144:cell admit@160:cell progress@192:cell error@256:256 counters@512:64*u64 histograms@1024:16*17984; \
cell high@0:u32 low@4:u32 high_again@8:u32; histogram count@0:u64 max@8:u64 sum@16:u64 bins@64:2240*u64";

/// Bytes from one slot to the next for payloads of at most `payload` bytes.
pub const fn stride_of(payload: usize) -> usize {
    (RECORD_PAYLOAD + payload).next_multiple_of(LINE)
}

/// FNV-1a of 64 bits, continued from `hash`.
pub const fn fnv1a(mut hash: u64, text: &[u8]) -> u64 {
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        at += 1;
    }
    hash
}

/// Hash of `LAYOUT` and of the lists of names: two builds that differ in either refuse each other's segments.
pub const fn layout_hash() -> u64 {
    let mut hash = fnv1a(0xCBF2_9CE4_8422_2325, LAYOUT.as_bytes());
    let lists: [&[&str]; 3] = [&crate::names::SERVICES, &crate::names::COUNTERS, &crate::names::HOPS];
    let mut list = 0;
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            hash = fnv1a(hash, b"\n");
            hash = fnv1a(hash, lists[list][at].as_bytes());
            at += 1;
        }
        list += 1;
    }
    hash
}

/// `layout_hash()`, computed once by the compiler.
pub const LAYOUT_HASH: u64 = layout_hash();

const _: () =
    assert!(AT_DATA.is_multiple_of(LINE) && AT_EPOCH.is_multiple_of(LINE) && AT_HEAD.is_multiple_of(LINE));
const _: () = assert!(RECORD_PAYLOAD.is_multiple_of(8) && RECORD_STAMP.is_multiple_of(8));
