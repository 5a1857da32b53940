//! Folders, segments and rows for tests of whole desks.
#![allow(dead_code, reason = "each test file uses its part")]
use crate::walk::{Given, give, mlp};
use std::path::PathBuf;
use std::sync::Arc;
use tickline_learn::{Desk, Outcome};
use tickline_model::Program;
use tickline_model::file::Loaded;
use tickline_ring::{Segment, Shape};
use tickline_weights::{Reader, Writer, segment_bytes};

/// A folder of a test's own; it goes with it.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("tickline-learn-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        Scratch(folder)
    }
}

impl Scratch {
    /// A weights segment in it, with the small model published.
    pub fn line(&self, name: &str) -> Arc<Segment> {
        let bytes = segment_bytes(&Program::new(&mlp().model).expect("fits"));
        let segment = Segment::create(self.0.join(name), Shape::Plain { bytes }).expect("fresh");
        let segment = Arc::new(segment);
        publish(&segment, &mlp());
        segment
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn publish(segment: &Arc<Segment>, loaded: &Loaded) {
    let program = Program::new(&loaded.model).expect("fits");
    let mut writer = Writer::attach(segment.clone(), program).expect("free");
    writer.publish(loaded).expect("published");
}

pub fn newest(segment: &Arc<Segment>) -> u64 {
    let program = Program::new(&mlp().model).expect("fits");
    Reader::attach(segment.clone(), &program).expect("laid out").newest().expect("published").version
}

pub fn feed(desk: &mut Desk, rows: &[Given]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for given in rows {
        if give(desk.beside(), given).offer {
            outcomes.push(desk.offer().expect("doors open"));
        }
    }
    outcomes
}
