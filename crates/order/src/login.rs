//! Where a session stands, its sequence numbers and its timers.
//!
//! A login first asks for sequence 0: the venue answers with the number of its next message, which tells whether anything was
//! missed. If nothing was, the session goes on as it is. Otherwise it logs out and in again from the first missed message (1
//! after a restart) and reads up to that number. Then an account query tells the next user reference number; its answer marks
//! the end of recovery. An earlier query's answer cannot be taken for it, since those lie before the number.

use crate::SessionError;
use tickline_wire::soup::Accepted;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No connection.
    Down,
    /// Asked for the number of the next message.
    Probing,
    /// Something was missed: logged out, waits for the venue to close.
    Leaving,
    /// Asked for everything missed.
    Asked,
    /// Reads what was missed, up to this number.
    Replaying {
        /// Number of the first message that is not history.
        end: u64,
    },
    /// Asked for the next user reference number.
    Querying,
    /// Orders may go out.
    Ready,
}

/// State of the login, without the socket.
#[derive(Debug)]
pub struct Login {
    pub(crate) phase: Phase,
    /// Number of the next sequenced message.
    pub(crate) next: u64,
    /// First message that is not history, once probed.
    end: Option<u64>,
    /// The venue's session, once known.
    session: [u8; 10],
    pub(crate) heard_ns: u64,
    pub(crate) spoke_ns: u64,
    heartbeat_ns: u64,
    dead_ns: u64,
}

impl Login {
    /// A session that has not begun.
    pub fn new(heartbeat_ns: u64, dead_ns: u64) -> Login {
        Login {
            phase: Phase::Down,
            next: 1,
            end: None,
            session: [b' '; 10],
            heard_ns: 0,
            spoke_ns: 0,
            heartbeat_ns,
            dead_ns,
        }
    }

    /// A connection is up: the session and sequence to log in with.
    pub fn connected(&mut self, now_ns: u64) -> ([u8; 10], u64) {
        self.heard_ns = now_ns;
        match self.end {
            None => {
                self.phase = Phase::Probing;
                (self.session, 0)
            }
            Some(_) => {
                self.phase = Phase::Asked;
                (self.session, self.next)
            }
        }
    }

    /// The venue accepted the login.
    ///
    /// # Errors
    /// [`SessionError::Sequence`] when it does not have the history that we have; [`SessionError::Unexpected`].
    pub fn accepted(&mut self, accepted: &Accepted) -> Result<(), SessionError> {
        self.session = accepted.session;
        let mismatch = SessionError::Sequence { wanted: self.next, got: accepted.sequence };
        match (self.phase, self.end.take()) {
            (Phase::Probing, _) if accepted.sequence == self.next => self.phase = Phase::Querying,
            (Phase::Probing, _) if accepted.sequence > self.next => {
                self.end = Some(accepted.sequence);
                self.phase = Phase::Leaving;
            }
            (Phase::Asked, Some(end)) if accepted.sequence == self.next => {
                self.phase = Phase::Replaying { end }
            }
            (Phase::Probing | Phase::Asked, _) => return Err(mismatch),
            _ => return Err(SessionError::Unexpected { kind: b'A' }),
        }
        Ok(())
    }

    /// A sequenced message came; true when it was the last of the history.
    #[inline]
    pub fn message(&mut self) -> Result<bool, SessionError> {
        match self.phase {
            Phase::Ready | Phase::Querying => {
                self.next += 1;
                Ok(false)
            }
            Phase::Replaying { end } => {
                self.next += 1;
                if self.next >= end {
                    self.phase = Phase::Querying;
                }
                Ok(self.next >= end)
            }
            // What follows a probe is not read: it comes again after the next login.
            Phase::Leaving => Ok(false),
            Phase::Down | Phase::Probing | Phase::Asked => Err(SessionError::Unexpected { kind: b'S' }),
        }
    }

    /// The connection is gone. True when the session should log in again at once, to read what it missed.
    pub fn disconnected(&mut self) -> bool {
        let again = self.phase == Phase::Leaving;
        if !again {
            self.end = None;
        }
        self.phase = Phase::Down;
        again
    }

    /// Is a heartbeat due?
    #[inline]
    pub fn heartbeat_due(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.spoke_ns) >= self.heartbeat_ns
    }

    /// Has the venue been silent for too long?
    ///
    /// # Errors
    /// [`SessionError::Dead`].
    #[inline]
    pub fn check_alive(&self, now_ns: u64) -> Result<(), SessionError> {
        let silent_ns = now_ns.saturating_sub(self.heard_ns);
        if silent_ns >= self.dead_ns { Err(SessionError::Dead { silent_ns }) } else { Ok(()) }
    }
}
