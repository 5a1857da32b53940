//! rtrb, the ring that most Rust programs take: between two threads, on the heap, which is all it can do.

use super::{Far as _, Message, look, message};
use std::sync::mpsc;
use tickline_clock::monotonic;

/// As many as our channel has.
const SLOTS: usize = 1024;

struct Near {
    there: rtrb::Producer<Message>,
    back: rtrb::Consumer<Message>,
}

#[inline(always)]
fn push(outlet: &mut rtrb::Producer<Message>, message: Message) {
    let mut looks = 0;
    while outlet.push(message).is_err() {
        look(&mut looks);
    }
}

#[inline(always)]
fn pop(inlet: &mut rtrb::Consumer<Message>) -> Message {
    let mut looks = 0;
    loop {
        match inlet.pop() {
            Ok(message) => return message,
            Err(_) => look(&mut looks),
        }
    }
}

impl super::Near for Near {
    #[inline(always)]
    fn trip(&mut self, message: &Message) {
        push(&mut self.there, *message);
        assert_eq!(pop(&mut self.back), *message);
    }

    #[inline(always)]
    fn send(&mut self, message: &Message) {
        push(&mut self.there, *message);
    }
}

struct Far {
    there: rtrb::Consumer<Message>,
    back: rtrb::Producer<Message>,
}

impl super::Far for Far {
    fn echo(&mut self, count: u64) {
        for _ in 0..count {
            let message = pop(&mut self.there);
            push(&mut self.back, message);
        }
    }

    fn drain(&mut self, first: u64, count: u64) -> u64 {
        let mut began = 0;
        for n in first..first + count {
            assert_eq!(pop(&mut self.there), message(n));
            if began == 0 {
                began = monotonic().0;
            }
        }
        monotonic().0 - began
    }
}

/// Serves both ends: the far one in a thread of its own, which sleeps between two lines.
pub fn serve(far_core: Option<usize>) -> Result<(), String> {
    let ((there_in, there_out), (back_in, back_out)) =
        (rtrb::RingBuffer::new(SLOTS), rtrb::RingBuffer::new(SLOTS));
    let (ask, asked) = mpsc::channel::<(bool, u64, u64)>();
    let (tell, told) = mpsc::channel::<u64>();
    let mut near = Near { there: there_in, back: back_out };
    let mut far = Far { there: there_out, back: back_in };
    std::thread::spawn(move || {
        super::pin(far_core).expect("a core of this machine");
        for (poured, first, count) in asked {
            let ns = if poured {
                far.drain(first, count)
            } else {
                far.echo(count);
                0
            };
            if tell.send(ns).is_err() {
                return;
            }
        }
    });
    super::serve_near(
        &mut near,
        |poured, first, count| {
            ask.send((poured, first, count)).expect("the far thread lives as long as this one");
        },
        || told.recv().expect("the far thread lives as long as this one"),
    )
}
