//! Where a feed's frames come from.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use tickline_packet::pcap::{Circle, Player};
use tickline_packet::rerequest;
use tickline_packet::socket::UdpSource;
use tickline_units::Nanos;

/// A capture being played.
pub(super) struct Replay {
    pub(super) player: Player,
    /// The clock of the playing starts with the first frame that is admitted.
    pub(super) started: bool,
    /// Since when the next frame is due and waits for admission.
    pub(super) held_since: Option<Nanos>,
    /// Since when it waits for the venue alone: the line has handled everything before it.
    pub(super) idle_since: Option<Nanos>,
    /// Line time of the last frame.
    pub(super) reached: Nanos,
    pub(super) ended: bool,
}

/// Live lines.
pub(super) struct Live {
    pub(super) lines: Vec<UdpSource>,
    pub(super) rerequest: Option<rerequest::Client>,
    pub(super) descriptor: Descriptor,
}

/// One of them.
pub(super) enum FrameSource {
    Circle(Box<Circle>),
    Replay(Box<Replay>),
    Live(Box<Live>),
}

/// One descriptor that can be read when any of several can: what a sleeping host watches.
pub(super) struct Descriptor {
    epoll: OwnedFd,
}

impl Descriptor {
    /// Watches these for reading. They must stay open as long as it; an epoll forgets a descriptor when it is closed.
    pub(super) fn over(watched: &[RawFd]) -> std::io::Result<Descriptor> {
        // SAFETY: no pointer is passed; a non-negative result is a descriptor that nobody else owns.
        let epoll = unsafe {
            let raw = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if raw < 0 {
                return Err(std::io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(raw)
        };
        for &fd in watched {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: fd as u64 };
            // SAFETY: `event` is a whole epoll_event, read during the call only.
            if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(Descriptor { epoll })
    }

    pub(super) fn raw(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }
}
