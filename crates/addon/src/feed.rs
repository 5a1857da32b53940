//! The feed's door: frame -> arbiter -> update -> book -> features -> broadcast ring, a burst per native call.

mod config;
mod meter;
mod outlet;
mod source;
mod summary;
mod tap;

use crate::quick::{self, Shared};
use config::{Config, Source};
use meter::Meter;
use napi::bindgen_prelude::{Env, This, Unknown};
use napi::{Error, Result};
use napi_derive::napi;
use outlet::RingOutlet;
use source::{Descriptor, FrameSource, Live, Replay};
use std::cell::RefCell;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;
use tap::FrameTap;
use tickline_clock::monotonic;
use tickline_packet::arbiter::{self, Join};
use tickline_packet::pcap::{Capture, Circle, Player};
use tickline_packet::{rerequest, socket};
use tickline_pipeline::{Pipeline, Settings};
use tickline_ring::broadcast::Publisher;
use tickline_ring::control::Control;
use tickline_ring::{Segment, Shape};
use tickline_units::Nanos;
use tickline_wire::flat::features::FEATURES_BYTES;

/// A missing message is asked for again at most this often, this far apart.
const REQUEST_TRIES: u32 = 20;
const REQUEST_TIMEOUT: Nanos = Nanos(20_000_000);
/// A live hole is waited for this long when it can be asked for, the arbiter's default otherwise.
pub(crate) const RECOVERY_PATIENCE: Nanos = Nanos(5_000_000_000);
/// Messages that may wait behind a hole when a feed joins a running session: 21 MiB, eleven minutes of the demo.
pub(crate) const RECOVERY_WINDOW: usize = 1 << 18;
/// Looks at the clock in one call while no frame is due, so that most of the waiting is done where the frame will be taken up and
/// not on the way round the duty cycle: 25 ns each.
const LOOKS: u32 = 40;
/// Bytes of a cache line.
const CACHE_LINE: usize = 64;
/// Slots of the ring that nobody reads.
const REHEARSAL_SLOTS: u32 = 64;

/// A feed: everything between frames and the features ring, in one object per instance.
#[napi]
pub struct Feed {
    parts: Shared<Parts>,
}

struct Parts {
    pipeline: Pipeline,
    source: FrameSource,
    outlet: RingOutlet,
    tap: FrameTap,
    meter: Meter,
    instruments: Vec<String>,
    published: u64,
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::from_reason(error.to_string())
}

#[napi]
impl Feed {
    /// Opens source, ring and control segment and sets all memory aside. `json`: `instruments`, `source` (`pcap`: path, speed; `circle`: path;
    /// `socket`: interface, a, b, rerequest), `features`, `control`, `frames`; without these three it touches no
    /// shared memory.
    /// @throws FEED_CONFIG, FEED_CAPTURE, FEED_SOCKET, FEED_RING, RING_IO, RING_HEADER
    #[napi(factory)]
    pub fn create(json: String) -> Result<Feed> {
        let config = Config::parse(&json).map_err(refused)?;
        let symbols = config.symbols().map_err(refused)?;
        let (source, arbiter) = open_source(&config.source)?;
        let control = match &config.control {
            Some(path) => Control::open(path).map_err(refused)?,
            None => Control::new(Arc::new(Segment::anonymous(Shape::Control).map_err(refused)?))
                .map_err(refused)?,
        };
        let block =
            control.service("feed").ok_or_else(|| refused("FEED_RING: the control block has no feed"))?;
        let end = control
            .service("execution")
            .ok_or_else(|| refused("FEED_RING: the control block has no execution"))?;
        let shape = Shape::Broadcast { slots: REHEARSAL_SLOTS, payload: FEATURES_BYTES };
        let segment = match &config.features {
            Some(path) => Segment::open(path),
            None => Segment::anonymous(shape),
        }
        .map_err(refused)?;
        if segment.payload_max() < FEATURES_BYTES {
            return Err(refused(format!(
                "FEED_RING: records of {} hold {} bytes, a row of features needs {FEATURES_BYTES}; make the segment anew",
                segment.path().display(),
                segment.payload_max()
            )));
        }
        let publisher = Publisher::attach(Arc::new(segment)).map_err(refused)?;
        let settings = Settings { instruments: symbols, arbiter, books: Default::default() };
        let parts = Parts {
            pipeline: Pipeline::new(&settings),
            source,
            outlet: RingOutlet::new(publisher, &block),
            tap: FrameTap::open(config.frames.as_deref(), &control).map_err(refused)?,
            meter: Meter::new(block, end),
            instruments: config.instruments,
            published: 0,
        };
        if let FrameSource::Replay(replay) = &parts.source {
            let first = replay.player.next_time().unwrap_or(Nanos(u64::MAX));
            parts.meter.block().set_horizon(first.0);
        }
        Ok(Feed { parts: Rc::new(RefCell::new(parts)) })
    }

    /// The function `poll(budget, admitLow, admitHigh)`. It moves at most `budget` frames that are due and admitted (live: at most a
    /// batch of each line more), and returns how many; 1 when only rows were published. A frame is admitted when its line time is
    /// not above `admitHigh * 2^32 + admitLow`; live, pass the largest. Publishes rows, counters, histograms and, in replay, the
    /// horizon. Allocates nothing. Cost: 60 ns without a frame.
    ///
    /// It throws FEED_SOCKET when the system refuses to receive, FEED_FENCED when another feed took the ring over.
    #[napi(ts_return_type = "(budget: number, admitLow: number, admitHigh: number) => number")]
    pub fn poller<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "poll", &self.parts, |parts, [budget, low, high]| {
            Ok(parts.poll(budget, Nanos(u64::from(high) << 32 | u64::from(low)))?)
        })
    }

    /// True at the end of a capture, once everything in it was published.
    #[napi(getter)]
    pub fn ended(&self) -> bool {
        matches!(&self.parts.borrow().source, FrameSource::Replay(replay) if replay.ended)
    }

    /// A descriptor that can be read when frames wait, for a host that sleeps; -1 in replay.
    #[napi(getter)]
    pub fn descriptor(&self) -> i32 {
        match &self.parts.borrow().source {
            FrameSource::Circle(_) | FrameSource::Replay(_) => -1,
            FrameSource::Live(live) => live.descriptor.raw(),
        }
    }

    /// Hash of all books, 16 hexadecimal digits; equal books hash equally whatever came before. Visits every order.
    #[napi]
    pub fn book_hash(&self) -> String {
        summary::hash_text(&self.parts.borrow().pipeline)
    }

    /// Totals, lines, gaps and the instruments' books as JSON. Visits every order; not for the hot path.
    #[napi]
    pub fn summary(&self) -> String {
        let Parts { pipeline, source, instruments, meter, .. } = &*self.parts.borrow();
        summary::summary(pipeline, source, instruments, meter.admit_waits).to_string()
    }
}

impl Parts {
    fn poll(&mut self, budget: u32, admit: Nanos) -> Result<u32> {
        let Parts { pipeline, source, outlet, tap, meter, published, .. } = self;
        let frames = match source {
            FrameSource::Replay(replay) => replay_frames(replay, pipeline, outlet, tap, meter, budget, admit),
            FrameSource::Circle(circle) => {
                let frame = circle.next(monotonic());
                pipeline.accept(&frame, outlet);
                tap.take(&frame);
                1
            }
            FrameSource::Live(live) => live_frames(live, pipeline, outlet, tap, budget)
                .map_err(|error| refused(format!("FEED_SOCKET: receiving was refused: {error}")))?,
        };
        // Rows can come without a frame: of messages that were asked for again, or of a gap given up.
        let work = frames.max(u32::from(pipeline.counts().rows != *published));
        *published = pipeline.counts().rows;
        meter.tick(work, pipeline);
        if outlet.is_fenced() {
            return Err(refused("FEED_FENCED: another feed writes the features ring now; this one must end"));
        }
        Ok(work)
    }
}

fn open_source(source: &Source) -> Result<(FrameSource, arbiter::Config)> {
    match source {
        Source::Pcap { path, speed } => {
            let speed = Source::speed(speed).map_err(refused)?;
            let capture = Capture::open(path).map_err(|fault| refused(format!("FEED_CAPTURE: {fault}")))?;
            let arbiter = capture.arbiter(Join::Beginning);
            let player = Player::new(capture, Nanos(0), speed);
            let (held_since, idle_since) = (None, None);
            let replay =
                Replay { player, started: false, held_since, idle_since, reached: Nanos(0), ended: false };
            Ok((FrameSource::Replay(Box::new(replay)), arbiter))
        }
        Source::Circle { path } => {
            let capture = Capture::open(path).map_err(|fault| refused(format!("FEED_CAPTURE: {fault}")))?;
            let circle = Circle::new(capture).ok_or_else(|| {
                refused(format!("FEED_CAPTURE: {}: no packet carries a message", path.display()))
            })?;
            let arbiter = arbiter::Config { join: Join::Beginning, ..Default::default() };
            Ok((FrameSource::Circle(Box::new(circle)), arbiter))
        }
        Source::Socket { interface, a, b, rerequest } => {
            let mut lines = Vec::with_capacity(2);
            for (nth, line) in [Some(a), b.as_ref()].into_iter().flatten().enumerate() {
                let config = socket::Config::new(line.address(), *interface, nth as u8);
                let line = socket::UdpSource::open(config);
                lines.push(line.map_err(|fault| refused(format!("FEED_SOCKET: {fault}")))?);
            }
            let client = rerequest.as_ref().map(|server| open_client(server.address())).transpose()?;
            let watched: Vec<_> = lines.iter().map(AsRawFd::as_raw_fd).collect();
            let descriptor =
                Descriptor::over(&watched).map_err(|error| refused(format!("FEED_SOCKET: {error}")))?;
            let mut arbiter = arbiter::Config { join: Join::Beginning, ..Default::default() };
            if client.is_some() {
                (arbiter.patience, arbiter.window) = (RECOVERY_PATIENCE, RECOVERY_WINDOW);
            }
            Ok((FrameSource::Live(Box::new(Live { lines, rerequest: client, descriptor })), arbiter))
        }
    }
}

fn open_client(server: std::net::SocketAddrV4) -> Result<rerequest::Client> {
    let config = rerequest::Config {
        server,
        timeout: REQUEST_TIMEOUT,
        pause: Nanos(0),
        count_max: 1000,
        tries_max: REQUEST_TRIES,
    };
    rerequest::Client::open(config)
        .map_err(|error| refused(format!("FEED_SOCKET: re-request server {server}: {error}")))
}

/// Plays frames that are due and admitted.
fn replay_frames(
    replay: &mut Replay,
    pipeline: &mut Pipeline,
    outlet: &mut RingOutlet,
    tap: &mut FrameTap,
    meter: &mut Meter,
    budget: u32,
    admit: Nanos,
) -> u32 {
    let mut frames = 0;
    while frames < budget {
        let Some(next) = replay.player.next_time() else {
            finish(replay, pipeline, outlet, meter);
            break;
        };
        let mut now = monotonic();
        if tap.waits(now) {
            break;
        }
        if next > admit {
            if replay.player.next_due().is_some_and(|due| due <= now || !replay.started) {
                hold(replay, meter, next, now);
            }
            break;
        }
        release(replay, meter, now);
        if !replay.started {
            replay.started = true;
            replay.player.restart(now);
        }
        if frames == 0 {
            now = wait(&replay.player, pipeline, meter, now);
        }
        let Some(frame) = replay.player.poll(now) else { break };
        meter.lateness.record(now.0.saturating_sub(frame.due.0));
        pipeline.accept(&frame, outlet);
        tap.take(&frame);
        replay.reached = frame.time;
        frames += 1;
        if let Some(next) = replay.player.next_time() {
            meter.block().set_horizon(next.0);
        }
    }
    frames
}

/// Notes since when a frame that is due is not admitted, and since when the venue alone is to blame.
#[cold]
fn hold(replay: &mut Replay, meter: &mut Meter, next: Nanos, now: Nanos) {
    if replay.held_since.is_none() {
        replay.held_since = Some(now);
        meter.admit_wait();
    }
    if replay.idle_since.is_none() && meter.line_horizon() >= next.0 {
        replay.idle_since = Some(now);
    }
}

/// The next frame is admitted. While the line had nothing to do but wait for the simulated venue, the capture's clock stood still: a real
/// venue does not hold up the market's data. What the line itself was late by stays counted.
#[inline]
fn release(replay: &mut Replay, meter: &Meter, now: Nanos) {
    if let Some(since) = replay.held_since.take() {
        meter.admission.record(now.0.saturating_sub(since.0));
    }
    if let Some(since) = replay.idle_since.take() {
        replay.player.postpone(Nanos(now.0.saturating_sub(since.0)));
    }
}

/// Waits a while for the next frame to be due, with its bytes and the work that needs no frame at hand; returns the time.
#[inline]
fn wait(player: &Player, pipeline: &mut Pipeline, meter: &Meter, mut now: Nanos) -> Nanos {
    let due = |now| player.next_due().is_none_or(|due| due <= now);
    if due(now) {
        return now;
    }
    for &byte in player.peek().iter().step_by(CACHE_LINE) {
        std::hint::black_box(byte);
    }
    pipeline.prepare();
    now = monotonic();
    for _ in 0..LOOKS {
        let next = monotonic();
        meter.looked(next.0.saturating_sub(now.0));
        now = next;
        if due(now) {
            break;
        }
    }
    now
}

/// After the last frame: what is still missing never comes, and nothing later does.
#[cold]
fn finish(replay: &mut Replay, pipeline: &mut Pipeline, outlet: &mut RingOutlet, meter: &mut Meter) {
    if !replay.ended {
        replay.ended = true;
        let patience = replay.player.capture().arbiter(Join::Beginning).patience;
        pipeline.idle(Nanos(replay.reached.0.saturating_add(patience.0)), monotonic(), outlet);
        meter.write(pipeline);
        meter.block().set_horizon(u64::MAX);
    }
}

/// Takes what the lines have queued, asks for what is missing, gives up what is overdue.
fn live_frames(
    live: &mut Live,
    pipeline: &mut Pipeline,
    outlet: &mut RingOutlet,
    tap: &mut FrameTap,
    budget: u32,
) -> std::io::Result<u32> {
    let mut frames = 0;
    while frames < budget {
        let mut taken = 0;
        for line in &mut live.lines {
            taken += line.poll(monotonic(), |frame| {
                pipeline.accept(&frame, outlet);
                tap.take(&frame);
            })?;
        }
        if taken == 0 {
            pipeline.prepare();
            break;
        }
        frames += taken as u32;
    }
    let now = monotonic();
    if let Some(client) = &mut live.rerequest {
        pipeline.recover(now, outlet, |arbiter, deliver| {
            client.work(arbiter, now, deliver, |frame| tap.take(frame))
        });
    }
    pipeline.idle(now, now, outlet);
    Ok(frames)
}
