//! One target per decoder, or chain of decoders.

mod arbiter;
mod book;
mod capture;
mod ethernet;
mod itch;
mod journal;
mod model;
mod mold;
mod ouch;
mod soup;

/// Something that takes bytes and keeps promises about them.
pub trait Target {
    /// Its name on the command line.
    fn name(&self) -> &'static str;
    /// Its part of the inputs: cheap targets get more.
    fn share(&self) -> u64;
    /// Good inputs to start from.
    fn seeds(&self) -> Vec<Vec<u8>>;
    /// Runs one input. The number marks the kind of outcome, so that inputs with a new one are kept and mutated further; the error
    /// says which promise was broken.
    fn run(&mut self, input: &[u8]) -> Result<u64, String>;
}

/// All of them.
pub fn targets() -> Vec<Box<dyn Target>> {
    vec![
        Box::new(ethernet::Ethernet),
        Box::new(mold::Mold),
        Box::new(itch::Itch),
        Box::new(soup::Soup::default()),
        Box::new(ouch::Ouch),
        Box::new(arbiter::Arbitration),
        Box::new(book::Book),
        Box::new(capture::Capture),
        Box::new(journal::Journal),
        Box::new(model::Model),
    ]
}

/// `Err` with a text unless a promise holds.
fn promise(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// A mark out of the parts that make an outcome's kind.
fn mark(parts: &[u64]) -> u64 {
    parts.iter().fold(0xCBF2_9CE4_8422_2325, |hash: u64, part| (hash ^ part).wrapping_mul(0x100_0000_01B3))
}
