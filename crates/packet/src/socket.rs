//! UDP from the network: many datagrams per system call into memory set aside once.
//!
//! # Safety invariants
//! I1. `fd` is an open socket owned by the source until it is dropped.
//! I2. Every pointer handed to the kernel points into a heap block owned by the same source, at least as long as the length
//!     handed over with it; the blocks never move or shrink while the source lives, and no reference into them is alive
//!     during the call (`&mut self`).
//! I3. Plain C structs of integers and pointers (`mmsghdr`, `iovec`, `sockaddr_in`, `ip_mreq`, `pollfd`) are valid when zeroed.
#![allow(unsafe_code)]

use crate::Frame;
use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use tickline_units::Nanos;

/// Where to listen and how much memory to set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Multicast group or this host's own address, and port; port 0 takes a free one.
    pub address: SocketAddrV4,
    /// Address of the interface on which to join the group.
    pub interface: Ipv4Addr,
    /// Which line it is: 0 = A, 1 = B.
    pub line: u8,
    /// Bytes the kernel may queue (`SO_RCVBUF`; it grants up to `net.core.rmem_max`).
    pub queue_bytes: usize,
    /// Datagrams per system call, 1 to 1,024.
    pub batch: usize,
    /// Longest datagram; a longer one is dropped and counted.
    pub datagram_bytes_max: usize,
}

impl Config {
    /// Usual sizes: 4 MiB queue, 32 datagrams of 2 KiB.
    pub const fn new(address: SocketAddrV4, interface: Ipv4Addr, line: u8) -> Config {
        Config { address, interface, line, queue_bytes: 4 << 20, batch: 32, datagram_bytes_max: 2048 }
    }
}

/// Which step of opening a socket the system refused.
#[derive(Debug)]
pub struct Fault {
    /// Where it should have listened.
    pub address: SocketAddrV4,
    /// The step.
    pub step: &'static str,
    /// The system's words.
    pub error: io::Error,
}

impl Fault {
    /// Stable code for programs.
    pub const fn code(&self) -> &'static str {
        "SOCKET_REFUSED"
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Fault { address, step, error } = self;
        write!(f, "{address}: {step} was refused ({error}); check address, interface and port of this line")
    }
}

impl std::error::Error for Fault {}

/// Room for the one control message we ask for, the queue's drop count, with slack.
const CONTROL_BYTES: usize = 64;

/// A UDP socket that receives in batches.
pub struct UdpSource {
    fd: OwnedFd,
    config: Config,
    local: SocketAddrV4,
    data: Box<[u8]>,
    control: Box<[u64]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    dropped: u32,
    truncated: u64,
}

// SAFETY: I1 and I2: the raw pointers in `vectors` and `headers` point into blocks that move with the source.
unsafe impl Send for UdpSource {}

impl UdpSource {
    /// Opens, binds and, for a multicast group, joins on the interface. The address may be shared (`SO_REUSEADDR`), so that
    /// a standby can listen to the same group.
    pub fn open(config: Config) -> Result<UdpSource, Fault> {
        let address = config.address;
        assert!(
            (1..=1024).contains(&config.batch) && config.datagram_bytes_max > 0,
            "sizes are checked by the caller"
        );
        let refused = |step| move |error| Fault { address, step, error };
        // SAFETY: no pointers; a non-negative result is a new descriptor that nobody else owns.
        let fd = unsafe {
            let raw =
                libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0);
            checked(raw).map(|raw| OwnedFd::from_raw_fd(raw)).map_err(refused("opening a socket"))?
        };
        let on: libc::c_int = 1;
        set(&fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, &on).map_err(refused("sharing the address"))?;
        let queue = config.queue_bytes.min(i32::MAX as usize) as libc::c_int;
        set(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &queue).map_err(refused("sizing the queue"))?;
        set(&fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, &on).map_err(refused("counting drops"))?;
        bind(&fd, address).map_err(refused("binding"))?;
        if address.ip().is_multicast() {
            let member = libc::ip_mreq {
                imr_multiaddr: in_addr(*address.ip()),
                imr_interface: in_addr(config.interface),
            };
            set(&fd, libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, &member)
                .map_err(refused("joining the group"))?;
            // Only groups joined here: without this a socket sees every group joined on the host at its port.
            let off: libc::c_int = 0;
            set(&fd, libc::IPPROTO_IP, libc::IP_MULTICAST_ALL, &off)
                .map_err(refused("leaving other groups"))?;
        }
        let local = local_address(&fd).map_err(refused("asking for the bound address"))?;
        Ok(UdpSource::with(fd, config, local))
    }

    fn with(fd: OwnedFd, config: Config, local: SocketAddrV4) -> UdpSource {
        // SAFETY: I3.
        let (vector, header): (libc::iovec, libc::mmsghdr) = unsafe { (zeroed(), zeroed()) };
        let mut source = UdpSource {
            fd,
            config,
            local,
            data: vec![0; config.batch * config.datagram_bytes_max].into(),
            control: vec![0; config.batch * CONTROL_BYTES / 8].into(),
            vectors: vec![vector; config.batch].into(),
            headers: vec![header; config.batch].into(),
            dropped: 0,
            truncated: 0,
        };
        let data = source.data.as_mut_ptr();
        let control = source.control.as_mut_ptr().cast::<u8>();
        let vectors = source.vectors.as_mut_ptr();
        for (nth, header) in source.headers.iter_mut().enumerate() {
            // SAFETY: I2: `nth` is below the batch, so each offset lies inside its block.
            unsafe {
                let vector = vectors.add(nth);
                (*vector).iov_base = data.add(nth * config.datagram_bytes_max).cast();
                (*vector).iov_len = config.datagram_bytes_max;
                header.msg_hdr.msg_iov = vector;
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_control = control.add(nth * CONTROL_BYTES).cast();
            }
        }
        source
    }

    /// Takes what is queued, at most a batch, without waiting, and calls `each` with every datagram in order of arrival.
    /// `now` (monotonic) becomes its line time and its due time. Returns how many came; 0 if nothing is queued.
    /// One system call; allocates nothing.
    pub fn poll(&mut self, now: Nanos, mut each: impl FnMut(Frame<'_>)) -> io::Result<usize> {
        for header in &mut self.headers {
            header.msg_hdr.msg_controllen = CONTROL_BYTES;
            header.msg_hdr.msg_flags = 0;
        }
        let batch = self.headers.len() as libc::c_uint;
        // SAFETY: I1, I2.
        let count = unsafe {
            libc::recvmmsg(
                self.fd.as_raw_fd(),
                self.headers.as_mut_ptr(),
                batch,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let count = match checked(count) {
            Ok(count) => count as usize,
            Err(error) if [libc::EAGAIN, libc::EINTR].contains(&error.raw_os_error().unwrap_or(0)) => {
                return Ok(0);
            }
            Err(error) => return Err(error),
        };
        for nth in 0..count {
            let header = &self.headers[nth];
            if let Some(dropped) = drop_count(&header.msg_hdr) {
                self.dropped = dropped;
            }
            if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
                self.truncated += 1;
                continue;
            }
            let at = nth * self.config.datagram_bytes_max;
            let payload = &self.data[at..at + header.msg_len as usize];
            each(Frame { line: self.config.line, time: now, due: now, payload });
        }
        Ok(count)
    }

    /// Datagrams the kernel dropped because the queue was full, as of the last one received. Wraps at 2^32.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Datagrams longer than `datagram_bytes_max`, dropped here.
    pub fn truncated(&self) -> u64 {
        self.truncated
    }

    /// The address it is bound to, with the port that was taken.
    pub fn local(&self) -> SocketAddrV4 {
        self.local
    }
}

impl AsRawFd for UdpSource {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// Sleeps until one of at most 16 descriptors is readable or the timeout is over; true if one is. A signal ends it early.
/// Sockets and a service's bell go in together.
pub fn wait(descriptors: &[RawFd], timeout: Nanos) -> io::Result<bool> {
    assert!(descriptors.len() <= 16, "at most 16 descriptors");
    let mut polled = [libc::pollfd { fd: -1, events: libc::POLLIN, revents: 0 }; 16];
    for (slot, &fd) in polled.iter_mut().zip(descriptors) {
        slot.fd = fd;
    }
    let limit = libc::timespec {
        tv_sec: (timeout.0 / 1_000_000_000) as libc::time_t,
        tv_nsec: (timeout.0 % 1_000_000_000) as libc::c_long,
    };
    // SAFETY: `polled` holds at least as many entries as said; `limit` is a whole timespec; no signal mask.
    let ready = unsafe {
        libc::ppoll(polled.as_mut_ptr(), descriptors.len() as libc::nfds_t, &limit, std::ptr::null())
    };
    match checked(ready) {
        Ok(count) => Ok(count > 0),
        Err(error) if error.raw_os_error() == Some(libc::EINTR) => Ok(false),
        Err(error) => Err(error),
    }
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn in_addr(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) }
}

fn set<T: Copy>(fd: &OwnedFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: `value` is a live T of the size given; the kernel only reads it.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    checked(result).map(drop)
}

fn bind(fd: &OwnedFd, address: SocketAddrV4) -> io::Result<()> {
    // SAFETY: I3.
    let mut name: libc::sockaddr_in = unsafe { zeroed() };
    name.sin_family = libc::AF_INET as libc::sa_family_t;
    name.sin_port = address.port().to_be();
    name.sin_addr = in_addr(*address.ip());
    // SAFETY: `name` is a whole sockaddr_in, and its size is given.
    let result = unsafe {
        libc::bind(
            fd.as_raw_fd(),
            std::ptr::from_ref(&name).cast(),
            size_of::<libc::sockaddr_in>() as libc::socklen_t,
        )
    };
    checked(result).map(drop)
}

fn local_address(fd: &OwnedFd) -> io::Result<SocketAddrV4> {
    // SAFETY: I3.
    let mut name: libc::sockaddr_in = unsafe { zeroed() };
    let mut bytes = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: `name` has room for the size given in `bytes`.
    let result =
        unsafe { libc::getsockname(fd.as_raw_fd(), std::ptr::from_mut(&mut name).cast(), &mut bytes) };
    checked(result)?;
    Ok(SocketAddrV4::new(Ipv4Addr::from(name.sin_addr.s_addr.to_ne_bytes()), u16::from_be(name.sin_port)))
}

/// The queue's drop count, if the kernel sent it along; it does so from the first drop on.
fn drop_count(header: &libc::msghdr) -> Option<u32> {
    // SAFETY: I2: the kernel filled `msg_controllen` bytes of the control block; CMSG_* stay inside it, and a control
    // message of this kind carries a u32, read without assuming alignment.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(header);
        while !at.is_null() {
            if (*at).cmsg_level == libc::SOL_SOCKET && (*at).cmsg_type == libc::SO_RXQ_OVFL {
                return Some(libc::CMSG_DATA(at).cast::<u32>().read_unaligned());
            }
            at = libc::CMSG_NXTHDR(header, at);
        }
    }
    None
}
