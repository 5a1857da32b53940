//! Commands that take effect in the control block: what a person, the supervisor or a limit has said to the line as a whole.

use tickline_journal::{Fault, Writer, kind};
use tickline_ring::control::LineBlock;
use tickline_units::Nanos;
use tickline_wire::flat::control::{CONTROL_BYTES, ControlBody, verb, write};
use tickline_wire::flat::journal::JournalBody;

/// What the line was told last.
pub(crate) struct Commands {
    line: LineBlock,
    armed: bool,
    epoch: u32,
    count: u64,
}

impl Commands {
    pub(crate) fn new(line: LineBlock) -> Commands {
        Commands { line, armed: false, epoch: 0, count: 0 }
    }

    /// The line's epoch when it was last looked at.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Journals a change of the armed word or the epoch since the last look: two loads otherwise.
    pub(crate) fn look(&mut self, writer: &mut Writer, now: Nanos) -> Result<usize, Fault> {
        let (armed, epoch) = (self.line.armed(), self.line.epoch());
        if (armed, epoch) == (self.armed, self.epoch) {
            return Ok(0);
        }
        (self.armed, self.epoch) = (armed, epoch);
        self.count += 1;
        let said = ControlBody {
            id: self.count,
            time_ns: now.0,
            epoch,
            verb: if armed { verb::ARM } else { verb::HALT },
            ..Default::default()
        };
        let mut payload = [0; CONTROL_BYTES];
        write(&mut payload, &said);
        let body =
            JournalBody { time_ns: now.0, stamp_ns: now.0, epoch, kind: kind::CONTROL, ..Default::default() };
        writer.append(&body, &payload)?;
        Ok(1)
    }
}
