//! What tests of a port share: a line's folder, and settings of a port in it.

use std::path::PathBuf;
use tickline_gate::SessionLimits;
use tickline_order::ClientConfig;
use tickline_port::{Counterparty, PortConfig};
use tickline_ring::{Segment, Shape};
use tickline_units::Symbol;

/// Longest that a test waits for what must come.
pub(crate) const WAIT_NS: u64 = 5_000_000_000;

/// The segments of a line with one instrument; gone when dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Folder {
        let folder =
            Folder(PathBuf::from("/dev/shm").join(format!("tickline-test-{test}-{}", std::process::id())));
        std::fs::create_dir_all(&folder.0).unwrap();
        Segment::create(folder.0.join("control"), Shape::Control).unwrap();
        Segment::create(folder.0.join("tokens"), Shape::Plain { bytes: 4 * 128 }).unwrap();
        Segment::create(folder.0.join("positions"), Shape::Plain { bytes: 64 }).unwrap();
        folder
    }

    pub(crate) fn config(&self, counterparty: Counterparty) -> PortConfig {
        PortConfig {
            counterparty,
            client: ClientConfig::new("TICK01", "tickline", vec![Symbol::new("TLKA").unwrap()]),
            limits: SessionLimits {
                order_qty_max: 100,
                order_notional_max: 1_000_000,
                messages_per_second: 1_000_000,
                working_orders_max: 16,
            },
            run_dir: self.0.clone(),
            replay: false,
            delay_out_ns: 1_000,
            delay_back_ns: 1_000,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
