//! Rows of features into the broadcast ring, stamped and measured.

use tickline_clock::monotonic;
use tickline_pipeline::Outlet;
use tickline_ring::broadcast::Publisher;
use tickline_ring::control::{Histogram, ServiceBlock};
use tickline_ring::names::hop;
use tickline_wire::flat::features::{self, FEATURES_BYTES, FEATURES_ID, FeaturesBody};

/// Type of a record: the schema's file identifier.
pub(super) const KIND: u32 = u32::from_le_bytes(FEATURES_ID);

/// The ring's writing end.
pub(super) struct RingOutlet {
    publisher: Publisher,
    hop: Histogram,
    /// Another writer took the ring over: this feed is the old one and publishes nothing any more.
    fenced: bool,
}

impl RingOutlet {
    pub(super) fn new(publisher: Publisher, block: &ServiceBlock) -> RingOutlet {
        RingOutlet { publisher, hop: block.histogram(hop("feed")), fenced: false }
    }

    /// True when another writer has taken the ring over.
    pub(super) fn is_fenced(&self) -> bool {
        self.fenced
    }
}

impl Outlet for RingOutlet {
    #[inline]
    fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
        let Ok(payload) = self.publisher.claim(KIND, FEATURES_BYTES) else {
            self.fenced = true;
            return;
        };
        let Some(body) = features::place(payload) else {
            // The ring's staging memory is 8-aligned and at least as long as its payload: `Feed::create` checked it.
            self.fenced = true;
            return;
        };
        fill(body);
        let now = monotonic().0;
        body.feed_ns = now;
        let waited = now.saturating_sub(body.due_ns);
        self.publisher.commit(now);
        self.hop.record(waited);
    }
}
