//! A TCP connection that never blocks.
//!
//! Invariants:
//!
//! - S1: descriptors come from the call just before and are owned by exactly one `OwnedFd` from then on.
//! - S2: a message header points at live locals, and says how large they are.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Microseconds that the kernel may poll the device in a read (SO_BUSY_POLL).
const BUSY_POLL_US: libc::c_int = 50;

/// Room for the control messages of one stamp: three times and an extended error with its address.
const CONTROL_BYTES: usize = 256;

/// Control messages are read as structs of this alignment.
#[repr(align(8))]
struct Control([u8; CONTROL_BYTES]);

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not yet decided.
    Connecting,
    /// Bytes may flow.
    Connected,
}

/// A non-blocking TCP connection with TCP_NODELAY; closed when dropped.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    stamps: bool,
}

impl Socket {
    /// Begins to connect. Ask [`progress`](Socket::progress) until it is decided.
    ///
    /// # Errors
    /// What the kernel says at once, for example that there is no route.
    pub fn connect(to: SocketAddr) -> io::Result<Socket> {
        let family = if to.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::socket(family, kind, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: S1.
        let owned = unsafe { OwnedFd::from_raw_fd(fd) };
        let stream = TcpStream::from(owned);
        stream.set_nodelay(true)?;
        busy_poll(&stream);
        let (address, length) = raw(to);
        // SAFETY: `address` holds a socket address of `length` bytes for the time of the call.
        let code = unsafe { libc::connect(stream.as_raw_fd(), (&raw const address).cast(), length) };
        let error = io::Error::last_os_error();
        if code == 0 || error.raw_os_error() == Some(libc::EINPROGRESS) {
            return Ok(Socket { stream, stamps: false });
        }
        Err(error)
    }

    /// The other end of a connection that was accepted.
    ///
    /// # Errors
    /// The kernel refuses to let it not block.
    pub(crate) fn accepted(stream: TcpStream) -> io::Result<Socket> {
        stream.set_nonblocking(true)?;
        Ok(Socket { stream, stamps: false })
    }

    /// How far the connection is.
    ///
    /// # Errors
    /// It was refused or timed out.
    pub fn progress(&self) -> io::Result<Progress> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Ok(_) => Ok(Progress::Connected),
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(Progress::Connecting),
            Err(error) => Err(error),
        }
    }

    /// Reads what is there; 0 when nothing is.
    ///
    /// # Errors
    /// The connection is broken; [`ErrorKind::UnexpectedEof`] when the peer has closed it.
    #[inline]
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(into) {
            Ok(0) if !into.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(count),
            Err(error) if passing(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Writes what the kernel takes; 0 when it takes nothing now.
    ///
    /// # Errors
    /// The connection is broken.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Ok(count) => Ok(count),
            Err(error) if passing(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Asks the kernel to stamp what leaves from now on; to be called before the first write. Where it cannot, `stamps` stays false.
    pub fn ask_stamps(&mut self) {
        let wanted = libc::SOF_TIMESTAMPING_TX_SOFTWARE
            | libc::SOF_TIMESTAMPING_SOFTWARE
            | libc::SOF_TIMESTAMPING_OPT_ID
            | libc::SOF_TIMESTAMPING_OPT_TSONLY;
        // SAFETY: the option's value is an int that lives through the call.
        let code = unsafe {
            libc::setsockopt(
                self.stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_TIMESTAMPING,
                (&raw const wanted).cast(),
                size_of_val(&wanted) as libc::socklen_t,
            )
        };
        self.stamps = code == 0;
    }

    /// Whether the kernel stamps what leaves.
    #[inline]
    pub fn stamps(&self) -> bool {
        self.stamps
    }

    /// The next transmit stamp, if one waits: the last byte of a write, counted from the connection's first and modulo 2^32, and the
    /// wall-clock time in ns at which the kernel handed it to the device.
    pub fn departure(&self) -> Option<(u32, u64)> {
        let mut control = Control([0; CONTROL_BYTES]);
        // SAFETY: all zeroes is a valid `msghdr`: no address, no data, no control.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = CONTROL_BYTES as _;
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        // SAFETY: S2.
        if unsafe { libc::recvmsg(self.stream.as_raw_fd(), &mut message, flags) } < 0 {
            return None;
        }
        let (mut last_byte, mut stamp_ns) = (None, None);
        // SAFETY: S2; the kernel has set `msg_controllen` to what it wrote.
        let mut header = unsafe { libc::CMSG_FIRSTHDR(&message) };
        while !header.is_null() {
            // SAFETY: S2: the macros walk within `control`; the payloads of these two types are read unaligned.
            unsafe {
                let data = libc::CMSG_DATA(header);
                match ((*header).cmsg_level, (*header).cmsg_type) {
                    (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => {
                        let at = data.cast::<libc::timespec>().read_unaligned();
                        stamp_ns = Some(at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64);
                    }
                    (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR) => {
                        last_byte = Some(data.cast::<libc::sock_extended_err>().read_unaligned().ee_data);
                    }
                    _ => {}
                }
                header = libc::CMSG_NXTHDR(&message, header);
            }
        }
        last_byte.zip(stamp_ns)
    }

    /// The descriptor, to wait on.
    pub fn descriptor(&self) -> i32 {
        self.stream.as_raw_fd()
    }
}

#[inline]
fn passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Asks for busy polling; a kernel or device without it is as good, only slower.
fn busy_poll(stream: &TcpStream) {
    let busy_poll_us = BUSY_POLL_US;
    // SAFETY: the option's value is an int that lives through the call.
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BUSY_POLL,
            (&raw const busy_poll_us).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        );
    }
}

/// The kernel's form of an address.
fn raw(address: SocketAddr) -> (libc::sockaddr_in6, libc::socklen_t) {
    let mut storage = libc::sockaddr_in6 {
        sin6_family: 0,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
        sin6_scope_id: 0,
    };
    match address {
        SocketAddr::V4(v4) => {
            let form = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            // SAFETY: `sockaddr_in` (16 bytes) fits into `sockaddr_in6` (28 bytes); both are plain bytes of alignment 4.
            unsafe { (&raw mut storage).cast::<libc::sockaddr_in>().write(form) };
            (storage, size_of::<libc::sockaddr_in>() as libc::socklen_t)
        }
        SocketAddr::V6(v6) => {
            storage.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            storage.sin6_port = v6.port().to_be();
            storage.sin6_flowinfo = v6.flowinfo();
            storage.sin6_addr.s6_addr = v6.ip().octets();
            storage.sin6_scope_id = v6.scope_id();
            (storage, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
        }
    }
}
