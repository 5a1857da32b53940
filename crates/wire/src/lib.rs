//! Byte codecs: Ethernet to UDP, MoldUDP64, ITCH 5.0, SoupBinTCP, OUCH 5.0.
#![forbid(unsafe_code)]

pub mod ethernet;
pub mod flat;
pub mod itch;
pub mod mold;
pub mod ouch;
pub mod soup;
