//! The few system calls that the standard library does not have. The only unsafe code of the process.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::parent_id;
use tickline_packet::socket::wait;
use tickline_units::Nanos;

/// A UDP socket that sends multicast on the interface with this address, one hop far, heard on this host too.
///
/// # Errors
/// The system refuses: no such interface, or no descriptors left.
pub fn multicast_sender(interface: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddrV4::new(interface, 0))?;
    socket.set_nonblocking(true)?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_multicast_ttl_v4(1)?;
    let address = libc::in_addr { s_addr: u32::from_ne_bytes(interface.octets()) };
    // SAFETY: the descriptor is open, `address` outlives the call, and its size is the one given.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_MULTICAST_IF,
            (&raw const address).cast(),
            size_of::<libc::in_addr>() as libc::socklen_t,
        )
    };
    if done == 0 { Ok(socket) } else { Err(io::Error::last_os_error()) }
}

/// Makes the sleeps of this thread end when asked, not up to 50 us later.
pub fn sleep_exactly() {
    const SLACK_NS: libc::c_ulong = 1;
    // SAFETY: a plain call without pointers.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0) };
}

/// What `sched_setattr(2)` reads; its first version, 48 bytes.
#[repr(C)]
#[derive(Default)]
struct SchedulerAttributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks for short turns on the core: whoever wakes for a short one goes before a program that wants to compute for long, instead of
/// waiting out its milliseconds. A hint: systems before Linux 6.12 do not know it.
pub fn take_short_turns() {
    const TURN_NS: u64 = 100_000;
    let wanted = SchedulerAttributes {
        size: size_of::<SchedulerAttributes>() as u32,
        policy: libc::SCHED_OTHER as u32,
        runtime: TURN_NS,
        ..SchedulerAttributes::default()
    };
    // SAFETY: the call reads `size` bytes of `wanted`, which outlives it.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
}

/// SIGTERM and SIGINT as a descriptor: they no longer end the process, they make this readable. The death of the process that
/// started this one counts as a signal too: a venue without its line must not stay behind.
pub struct StopSignal {
    descriptor: OwnedFd,
    parent: Option<u32>,
}

impl StopSignal {
    /// Takes the two signals over. To be called before any thread is started, since threads inherit the mask. `parent` is the
    /// process to end with; it is told by itself, since asking the system here would miss a death before this call.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new(parent: Option<u32>) -> io::Result<StopSignal> {
        // SAFETY: the set is initialised by sigemptyset before it is read, and outlives the calls.
        let descriptor = unsafe {
            let mut set = std::mem::zeroed::<libc::sigset_t>();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGTERM);
            libc::sigaddset(&raw mut set, libc::SIGINT);
            if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: signalfd just gave us this descriptor, and nobody else has it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(StopSignal { descriptor, parent })
    }

    /// True once a signal has come or the parent is gone.
    pub fn came(&self) -> bool {
        self.parent.is_some_and(|parent| parent_id() != parent)
            || wait(&[self.descriptor.as_raw_fd()], Nanos(0)).unwrap_or(false)
    }
}

impl AsRawFd for StopSignal {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}
