//! Arbitration under arbitrary packets: numbers only rise, gaps are exactly what is missing, nothing is delivered twice.

use super::itch::seed;
use super::mold::{SESSION, packet};
use super::{Target, mark, promise};
use tickline_packet::Frame;
use tickline_packet::arbiter::{Arbiter, Config, Event, Join};
use tickline_units::Nanos;
use tickline_wire::mold::{END_OF_SESSION, Header, Session};

/// Scripts: per step line 1, time step 1, length 2, packet. The time step is in units of 10 ns.
pub struct Arbitration;

/// Appends a step.
fn step(script: &mut Vec<u8>, line: u8, wait: u8, packet: &[u8]) {
    script.extend([line, wait]);
    script.extend((packet.len() as u16).to_be_bytes());
    script.extend(packet);
}

/// Takes the next step apart.
fn next(script: &[u8]) -> Option<(u8, u64, &[u8], &[u8])> {
    let (&[line, wait, high, low], rest) = script.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    let (packet, rest) = rest.split_at(length);
    Some((line, u64::from(wait) * 10, packet, rest))
}

/// What the events promise, checked one by one.
#[derive(Default)]
struct Watch {
    next: Option<u64>,
    ended: bool,
    delivered: u64,
    lost: u64,
    sessions: u64,
    broken: Option<String>,
}

impl Watch {
    fn event(&mut self, event: Event<'_>) {
        let mut broken = None;
        match event {
            Event::Session { next, .. } => {
                (self.next, self.ended) = (Some(next), false);
                self.sessions += 1;
            }
            Event::Message { sequence, .. } => {
                if self.next != Some(sequence) {
                    broken = Some(format!("message {sequence} where {:?} was due", self.next));
                }
                self.next = Some(sequence + 1);
                self.delivered += 1;
            }
            Event::Gap(gap) => {
                if self.next != Some(gap.first) || gap.count == 0 {
                    broken = Some(format!("gap {gap:?} where {:?} was due", self.next));
                }
                self.next = gap.first.checked_add(gap.count);
                self.lost = self.lost.saturating_add(gap.count);
            }
            Event::End { next } => {
                if self.ended || self.next != Some(next) {
                    broken = Some(format!("end at {next} where {:?} was due", self.next));
                }
                self.ended = true;
            }
        }
        self.broken = self.broken.take().or(broken);
    }
}

impl Target for Arbitration {
    fn name(&self) -> &'static str {
        "arbiter"
    }

    fn share(&self) -> u64 {
        8
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let message = || seed(b'D');
        let mut ordinary = Vec::new();
        for n in 1..9 {
            for line in 0..2 {
                if (n + u64::from(line)) % 4 != 0 {
                    step(&mut ordinary, line, 3, &packet(SESSION, n, &[message()]));
                }
            }
        }
        step(&mut ordinary, 0, 255, &Header { session: SESSION, sequence: 9, count: END_OF_SESSION }.bytes());
        let mut change = Vec::new();
        let other = Session(*b"FUZZ000002");
        for n in [1, 2, 40, 41, 3] {
            step(&mut change, 0, 9, &packet(SESSION, n, &[message(), message()]));
        }
        for n in 1..6 {
            step(&mut change, 1, 9, &packet(other, n, &[message()]));
        }
        let mut far = Vec::new();
        for n in [1, 900, 901, 903, 902, 2_000, 2_000, 0] {
            step(&mut far, 0, 50, &packet(SESSION, n, &[message()]));
        }
        vec![ordinary, change, far]
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let join = if input.len().is_multiple_of(2) { Join::Anywhere } else { Join::Beginning };
        let mut arbiter = Arbiter::new(Config { window: 16, patience: Nanos(500), join });
        let (mut watch, mut now, mut rest, mut malformed) = (Watch::default(), 0, input, 0);
        while let Some((line, wait, payload, after)) = next(rest) {
            (now, rest) = (now + wait, after);
            let frame = Frame { line: line % 3, time: Nanos(now), due: Nanos(now), payload };
            malformed += u64::from(arbiter.accept(&frame, |event| watch.event(event)).is_err());
            if line & 0x80 != 0 {
                arbiter.poll(Nanos(now), |event| watch.event(event));
            }
            if let (true, Some((first, _, _))) = (line & 0x40 != 0, arbiter.missing()) {
                arbiter
                    .recover(first + u64::from(line & 7), b"found", Nanos(now), |event| watch.event(event));
            }
        }
        arbiter.poll(Nanos(u64::MAX), |event| watch.event(event));
        if let Some(broken) = watch.broken.take() {
            return Err(broken);
        }
        promise(arbiter.missing().is_none(), || "something is missing after all patience".into())?;
        promise(arbiter.delivered() == watch.delivered, || "counts of messages differ".into())?;
        promise(watch.next.is_none_or(|next| next == arbiter.next()), || "another next number".into())?;
        let few = |count: u64| count.min(6);
        let dropped = arbiter.dropped();
        Ok(mark(&[
            few(watch.delivered),
            few(watch.lost),
            few(watch.sessions),
            few(malformed),
            few(dropped.far),
            few(dropped.session),
            few(dropped.oversize),
            u64::from(watch.ended),
        ]))
    }
}
