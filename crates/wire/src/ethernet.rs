// @hot
//! Ethernet II down to a UDP or TCP payload, and UDP frames up from one.
//!
//! VLAN tags (802.1Q, 802.1ad, stacked) are stripped; IPv4 options are skipped; whatever follows the IP packet in the
//! frame (padding, trailers, a checksum) is cut off by IP's own length. Fragments are refused: a market data packet is
//! never fragmented, and reassembly would be a place to wait. Checksums are the network card's work and not checked.

/// An IPv4 address and a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Endpoint {
    /// IPv4 address.
    pub address: [u8; 4],
    /// UDP or TCP port.
    pub port: u16,
}

impl core::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [a, b, c, d] = self.address;
        write!(f, "{a}.{b}.{c}.{d}:{}", self.port)
    }
}

impl core::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// Which transport carried a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Protocol 17.
    Udp,
    /// Protocol 6.
    Tcp,
}

/// A transport payload and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// UDP or TCP.
    pub transport: Transport,
    /// Sender.
    pub source: Endpoint,
    /// Receiver; for multicast the group.
    pub destination: Endpoint,
    /// What the transport carries.
    pub payload: &'a [u8],
}

/// Why a frame holds no UDP or TCP payload for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Cut off inside a header.
    Short,
    /// Not IPv4; the EtherType found.
    EtherType(u16),
    /// IPv4 header with an impossible version or length.
    Header,
    /// The IP or UDP length reaches beyond the frame.
    Truncated,
    /// A fragment of a larger packet.
    Fragment,
    /// Another transport; IPv4's protocol number.
    Protocol(u8),
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Refusal::Short => write!(f, "frame cut off inside a header"),
            Refusal::EtherType(found) => write!(f, "EtherType 0x{found:04x} is not IPv4"),
            Refusal::Header => write!(f, "impossible IPv4 header"),
            Refusal::Truncated => write!(f, "a length reaches beyond the frame"),
            Refusal::Fragment => write!(f, "fragmented IPv4 packet"),
            Refusal::Protocol(found) => write!(f, "IPv4 protocol {found} is neither UDP nor TCP"),
        }
    }
}

impl std::error::Error for Refusal {}

const VLAN_TYPES: [u16; 3] = [0x8100, 0x88A8, 0x9100];
const IPV4: u16 = 0x0800;
const UDP: u8 = 17;
const TCP: u8 = 6;

/// Parses a whole Ethernet frame (destination address first, with or without its trailing checksum).
#[inline]
pub fn parse(frame: &[u8]) -> Result<Datagram<'_>, Refusal> {
    let mut at = 12;
    let mut kind = u16_at(frame, at)?;
    while VLAN_TYPES.contains(&kind) {
        at += 4;
        kind = u16_at(frame, at)?;
    }
    if kind != IPV4 {
        return Err(Refusal::EtherType(kind));
    }
    parse_ipv4(&frame[at + 2..])
}

/// Parses an IPv4 packet; bytes beyond its total length are ignored.
#[inline]
pub fn parse_ipv4(bytes: &[u8]) -> Result<Datagram<'_>, Refusal> {
    let head: &[u8; 20] = bytes.first_chunk().ok_or(Refusal::Short)?;
    let head_bytes = usize::from(head[0] & 0x0F) * 4;
    let total = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if head[0] >> 4 != 4 || head_bytes < 20 || total < head_bytes {
        return Err(Refusal::Header);
    }
    // More-fragments flag or a fragment offset.
    if u16::from_be_bytes([head[6], head[7]]) & 0x3FFF != 0 {
        return Err(Refusal::Fragment);
    }
    let body = bytes.get(head_bytes..total).ok_or(Refusal::Truncated)?;
    let source = [head[12], head[13], head[14], head[15]];
    let destination = [head[16], head[17], head[18], head[19]];
    let (transport, payload) = match head[9] {
        UDP => (Transport::Udp, udp_payload(body)?),
        TCP => (Transport::Tcp, tcp_payload(body)?),
        other => return Err(Refusal::Protocol(other)),
    };
    Ok(Datagram {
        transport,
        source: Endpoint { address: source, port: u16_at(body, 0)? },
        destination: Endpoint { address: destination, port: u16_at(body, 2)? },
        payload,
    })
}

#[inline]
fn udp_payload(body: &[u8]) -> Result<&[u8], Refusal> {
    let length = usize::from(u16_at(body, 4)?);
    if body.len() < 8 {
        return Err(Refusal::Short);
    }
    if length < 8 {
        return Err(Refusal::Header);
    }
    body.get(8..length).ok_or(Refusal::Truncated)
}

#[inline]
fn tcp_payload(body: &[u8]) -> Result<&[u8], Refusal> {
    let offset = body.get(12).ok_or(Refusal::Short)?;
    let head_bytes = usize::from(offset >> 4) * 4;
    if head_bytes < 20 {
        return Err(Refusal::Header);
    }
    body.get(head_bytes..).ok_or(Refusal::Truncated)
}

#[inline(always)]
fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Refusal> {
    let pair = bytes.get(at..at + 2).ok_or(Refusal::Short)?;
    Ok(u16::from_be_bytes([pair[0], pair[1]]))
}

/// Bytes that `build` puts before the payload: Ethernet 14, IPv4 20, UDP 8.
pub const OVERHEAD: usize = 42;

/// The largest UDP payload of an IPv4 packet.
pub const PAYLOAD_MAX: usize = 65_507;

/// Writes an Ethernet II + IPv4 + UDP frame around `payload` and returns its length, or `None` if `frame` is too small or
/// the payload larger than IPv4 allows. Multicast groups get their Ethernet address (RFC 1112); checksums are filled in
/// for IPv4 and left out for UDP (0 = none, RFC 768).
pub fn build(frame: &mut [u8], source: Endpoint, destination: Endpoint, payload: &[u8]) -> Option<usize> {
    let length = OVERHEAD + payload.len();
    if payload.len() > PAYLOAD_MAX || frame.len() < length {
        return None;
    }
    let [a, b, c, d] = destination.address;
    let mac = if a & 0xF0 == 0xE0 { [0x01, 0x00, 0x5E, b & 0x7F, c, d] } else { [0x02, 0x00, a, b, c, d] };
    frame[..6].copy_from_slice(&mac);
    let [a, b, c, d] = source.address;
    frame[6..12].copy_from_slice(&[0x02, 0x00, a, b, c, d]);
    frame[12..14].copy_from_slice(&IPV4.to_be_bytes());

    let ip = &mut frame[14..34];
    ip.fill(0);
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&((28 + payload.len()) as u16).to_be_bytes());
    ip[6] = 0x40; // Do not fragment.
    ip[8] = 64;
    ip[9] = UDP;
    ip[12..16].copy_from_slice(&source.address);
    ip[16..20].copy_from_slice(&destination.address);
    let sum = checksum(ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());

    frame[34..36].copy_from_slice(&source.port.to_be_bytes());
    frame[36..38].copy_from_slice(&destination.port.to_be_bytes());
    frame[38..40].copy_from_slice(&((8 + payload.len()) as u16).to_be_bytes());
    frame[40..42].fill(0);
    frame[42..length].copy_from_slice(payload);
    Some(length)
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}
