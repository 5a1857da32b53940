//! Why a file cannot be played: one clear sentence with the file, what was found and the fix.

use std::fmt;

/// What is wrong with the file. Each has a stable code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The system refused to read it; its words.
    Unreadable(String),
    /// 0 bytes.
    Empty,
    /// Readable text, or bytes with no known magic; the first ones.
    NotACapture {
        /// Up to 8 first bytes.
        first: Vec<u8>,
        /// True if they look like text.
        text: bool,
    },
    /// The gzip stream ends before its end mark; bytes that came out.
    GzipTruncated(u64),
    /// The gzip stream is damaged; the decoder's words.
    GzipDamaged(String),
    /// More bytes than this program loads.
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// The structure breaks at an offset.
    Damaged {
        /// Byte offset in the (decompressed) file.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// Not Ethernet; the link type's number.
    LinkType(u32),
    /// A sound capture without a MoldUDP64 packet.
    NoMold {
        /// Frames in the file.
        frames: u64,
        /// UDP datagrams among them.
        datagrams: u64,
        /// The busiest UDP destination or the first other protocol found, in words.
        found: String,
    },
    /// A journal that cannot be read; its own words, which name the file.
    Journal(tickline_journal::Fault),
}

/// A file and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file as the user named it.
    pub file: String,
    /// What is wrong.
    pub cause: Cause,
}

impl Fault {
    /// Stable code for programs.
    pub const fn code(&self) -> &'static str {
        match &self.cause {
            Cause::Unreadable(_) => "CAPTURE_UNREADABLE",
            Cause::Empty => "CAPTURE_EMPTY",
            Cause::NotACapture { .. } => "CAPTURE_NOT_PCAP",
            Cause::GzipTruncated(_) => "CAPTURE_GZIP_TRUNCATED",
            Cause::GzipDamaged(_) => "CAPTURE_GZIP_DAMAGED",
            Cause::TooLarge { .. } => "CAPTURE_TOO_LARGE",
            Cause::Damaged { .. } => "CAPTURE_DAMAGED",
            Cause::LinkType(_) => "CAPTURE_LINK_TYPE",
            Cause::NoMold { .. } => "CAPTURE_NO_MOLDUDP64",
            Cause::Journal(fault) => fault.code(),
        }
    }
}

fn link_name(link: u32) -> &'static str {
    match link {
        0 | 108 => "BSD loopback",
        9 => "PPP",
        12 | 14 | 101 | 228 | 229 => "raw IP",
        105 | 127 => "802.11 wireless",
        113 | 276 => "Linux cooked (device \"any\")",
        147..=162 => "user-defined",
        _ => "not known here",
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Cause::Journal(fault) = &self.cause {
            return fault.fmt(f);
        }
        write!(f, "{}: ", self.file)?;
        match &self.cause {
            Cause::Journal(_) => Ok(()),
            Cause::Unreadable(why) => {
                write!(f, "cannot be read ({why}); give the path of a capture file that you may read")
            }
            Cause::Empty => write!(f, "is empty (0 bytes); copy or record the capture again"),
            Cause::NotACapture { first, text } => {
                let kind = if *text { "is a text file" } else { "has no pcap, pcapng or gzip magic" };
                write!(f, "{kind} (it starts with \"{}\"); give a pcap or pcapng file", first.escape_ascii())
            }
            Cause::GzipTruncated(bytes) => {
                write!(
                    f,
                    "the gzip stream stops after {bytes} decompressed bytes, before its end; copy the file again"
                )
            }
            Cause::GzipDamaged(why) => write!(f, "the gzip stream is damaged ({why}); copy the file again"),
            Cause::TooLarge { limit } => {
                write!(f, "holds more than {limit} bytes; cut it into parts (editcap -c)")
            }
            Cause::Damaged { offset, what } => {
                write!(f, "is damaged at byte {offset}: {what}; copy or record the capture again")
            }
            Cause::LinkType(link) => write!(
                f,
                "has link type {link} ({}), not Ethernet (1); record on the network interface itself",
                link_name(*link)
            ),
            Cause::NoMold { frames, datagrams, found } => write!(
                f,
                "holds no MoldUDP64 packet in {frames} frames, {datagrams} of them UDP ({found}); \
                 give a capture of the ITCH multicast lines"
            ),
        }
    }
}

impl std::error::Error for Fault {}
