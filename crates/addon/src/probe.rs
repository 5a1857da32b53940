//! Rust ends of channels and Rust readings of the control block, one call per message: for conformance tests of the TypeScript ends
//! and for the benchmark that shows what a call per message would cost. The line itself never uses them.

use crate::segment::refused;
use napi::bindgen_prelude::Buffer;
use napi::{Error, Result};
use napi_derive::napi;
use std::sync::Arc;
use tickline_ring::broadcast::{Join, Publisher, Subscriber};
use tickline_ring::control::Control;
use tickline_ring::lossless::{Consumer, Producer};
use tickline_ring::{Corrupt, Record, Refusal, Segment, names};

/// A record as Rust read it. `sequence` and `stampNs` are exact below 2^53.
#[napi(object)]
pub struct ProbeRecord {
    /// Kind of message.
    pub kind: u32,
    /// Place in the channel, from 1.
    pub sequence: f64,
    /// Epoch of the writer.
    pub epoch: u32,
    /// The writer's stamp in ns.
    pub stamp_ns: f64,
    /// A copy of the message.
    pub payload: Buffer,
}

impl ProbeRecord {
    fn of(record: &Record<'_>) -> ProbeRecord {
        ProbeRecord {
            kind: record.kind,
            sequence: record.sequence as f64,
            epoch: record.epoch,
            stamp_ns: record.stamp_ns as f64,
            payload: record.payload.to_vec().into(),
        }
    }
}

fn corrupt(error: Corrupt) -> Error {
    Error::from_reason(error.to_string())
}

fn sent(outcome: std::result::Result<u64, Refusal>) -> Result<f64> {
    match outcome {
        Ok(sequence) => Ok(sequence as f64),
        Err(Refusal::Full) => Ok(-1.0),
        Err(other) => Err(Error::from_reason(format!("RING_REFUSED: {other:?}"))),
    }
}

fn open(path: String) -> Result<Arc<Segment>> {
    Ok(Arc::new(Segment::open(path).map_err(refused)?))
}

/// A lossless channel's ends in Rust.
#[napi]
pub struct LosslessProbe {
    producer: Option<Producer>,
    consumer: Option<Consumer>,
}

#[napi]
impl LosslessProbe {
    /// Attaches as the writer or the reader.
    #[napi(constructor)]
    pub fn new(path: String, write: bool) -> Result<LosslessProbe> {
        let segment = open(path)?;
        Ok(if write {
            LosslessProbe { producer: Some(Producer::attach(segment).map_err(refused)?), consumer: None }
        } else {
            LosslessProbe { producer: None, consumer: Some(Consumer::attach(segment).map_err(refused)?) }
        })
    }

    /// Sends a message; its sequence, or -1 when the channel is full.
    #[napi]
    pub fn send(&mut self, kind: u32, stamp_ns: f64, payload: &[u8]) -> Result<f64> {
        let Some(producer) = self.producer.as_mut() else {
            return Err(Error::from_reason("RING_REFUSED: attached as the reader"));
        };
        sent(producer.send(kind, stamp_ns as u64, payload))
    }

    /// At most `limit` records.
    #[napi]
    pub fn poll(&mut self, limit: u32) -> Result<Vec<ProbeRecord>> {
        let Some(consumer) = self.consumer.as_mut() else {
            return Err(Error::from_reason("RING_REFUSED: attached as the writer"));
        };
        let mut records = Vec::new();
        consumer.poll(|record| records.push(ProbeRecord::of(record)), limit as usize).map_err(corrupt)?;
        Ok(records)
    }
}

/// A broadcast channel's ends in Rust.
#[napi]
pub struct BroadcastProbe {
    publisher: Option<Publisher>,
    subscriber: Option<Subscriber>,
}

#[napi]
impl BroadcastProbe {
    /// Attaches as the writer or as a reader from the next record on.
    #[napi(constructor)]
    pub fn new(path: String, write: bool) -> Result<BroadcastProbe> {
        let segment = open(path)?;
        Ok(if write {
            BroadcastProbe { publisher: Some(Publisher::attach(segment).map_err(refused)?), subscriber: None }
        } else {
            let subscriber = Subscriber::attach(segment, Join::Next).map_err(refused)?;
            BroadcastProbe { publisher: None, subscriber: Some(subscriber) }
        })
    }

    /// Publishes a message and returns its sequence.
    #[napi]
    pub fn publish(&mut self, kind: u32, stamp_ns: f64, payload: &[u8]) -> Result<f64> {
        let Some(publisher) = self.publisher.as_mut() else {
            return Err(Error::from_reason("RING_REFUSED: attached as a reader"));
        };
        sent(publisher.publish(kind, stamp_ns as u64, payload))
    }

    /// At most `limit` records.
    #[napi]
    pub fn poll(&mut self, limit: u32) -> Result<Vec<ProbeRecord>> {
        let Some(subscriber) = self.subscriber.as_mut() else {
            return Err(Error::from_reason("RING_REFUSED: attached as the writer"));
        };
        let mut records = Vec::new();
        subscriber.poll(|record| records.push(ProbeRecord::of(record)), limit as usize).map_err(corrupt)?;
        Ok(records)
    }

    /// Records lost to lapping.
    #[napi]
    pub fn lost(&self) -> f64 {
        self.subscriber.as_ref().map_or(0.0, |subscriber| subscriber.lost() as f64)
    }
}

/// What Rust reads in a service's block. 64-bit values are decimal text, exact.
#[napi(object)]
pub struct ProbeBlock {
    /// Name given at the start.
    pub name: String,
    /// Number of the state.
    pub state: u32,
    /// Process.
    pub pid: u32,
    /// Starts so far.
    pub epoch: u32,
    /// Restarts so far.
    pub restarts: u32,
    /// Heartbeat, horizon, sent, admit, progress.
    pub cells: Vec<String>,
    /// Last error.
    pub error: String,
    /// Counters in their places.
    pub counters: Vec<String>,
    /// Per histogram: count, max, mean, p50, p99.
    pub histograms: Vec<Vec<f64>>,
}

/// Reads a service's block as Rust sees it.
#[napi]
pub fn probe_block(path: String, service: String) -> Result<ProbeBlock> {
    let control = Control::open_read_only(path).map_err(refused)?;
    let Some(block) = control.service(&service) else {
        return Err(Error::from_reason(format!("RING_SHAPE: no service is named {service}")));
    };
    let histograms = (0..names::HOPS.len()).map(|place| block.histogram(place)).map(|histogram| {
        let percentile = |share| histogram.percentile(share) as f64;
        vec![
            histogram.count() as f64,
            histogram.max() as f64,
            histogram.mean(),
            percentile(0.5),
            percentile(0.99),
        ]
    });
    Ok(ProbeBlock {
        name: block.name(),
        state: block.state() as u32,
        pid: block.pid(),
        epoch: block.epoch(),
        restarts: block.restarts(),
        cells: [block.heartbeat(), block.horizon(), block.sent(), block.admit(), block.progress()]
            .iter()
            .map(u64::to_string)
            .collect(),
        error: block.error(),
        counters: (0..names::COUNTERS.len()).map(|place| block.counter(place).to_string()).collect(),
        histograms: histograms.collect(),
    })
}

/// Writes as Rust does into a service's block: every cell, one counter, one histogram value, the error.
#[napi]
pub fn probe_write(path: String, service: String, value: String, counter: u32, hop: u32) -> Result<()> {
    let control = Control::open(path).map_err(refused)?;
    let value: u64 =
        value.parse().map_err(|_| Error::from_reason("RING_SHAPE: value is not a whole number"))?;
    let Some(block) = control.service(&service) else {
        return Err(Error::from_reason(format!("RING_SHAPE: no service is named {service}")));
    };
    block.begin(&service, 77);
    block.set_heartbeat(value);
    block.set_horizon(value);
    block.set_sent(value);
    block.set_admit(value);
    block.set_progress(value);
    block.add(counter as usize, value);
    block.histogram(hop as usize).record(value);
    block.set_error("größer als erlaubt");
    Ok(())
}
