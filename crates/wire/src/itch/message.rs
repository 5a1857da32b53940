//! The 23 message types, each declared once: letter, length, fields in wire order.
//!
//! Source: Nasdaq TotalView-ITCH 5.0, section 4 ("Message Formats"). Lengths include the type letter. Prices have 4
//! implied decimals, except in V (8).

use super::field::{Field, Letter, Price8, Value};
use super::{Kind, Malformed};
use tickline_units::{Nanos, Price, Qty, Side, Symbol};

/// Bytes of the header that every message starts with: type 1, locate 2, tracking 2, time 6.
pub const HEADER_BYTES: usize = 11;

/// What every message starts with, after its type letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Header {
    /// Nanoseconds since midnight of the exchange's day, below 2^48.
    pub time: Nanos,
    /// Today's number of the stock; 0 for messages about no stock. Changes from day to day.
    pub locate: u16,
    /// The exchange's internal tracking number.
    pub tracking: u16,
}

/// One decoded message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Update {
    /// Locate code, tracking number, time.
    pub header: Header,
    /// What happened.
    pub body: Body,
}

/// A field's name for people: the specification's words where the code has a shorter one.
macro_rules! spoken {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident as $spoken:ident) => {
        stringify!($spoken)
    };
}

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident $title:literal $letter:literal $length:literal {
        $($(#[$field_doc:meta])* $field:ident $(as $spoken:ident)?: $type:ty,)*
    })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $name {
            /// The type letter on the wire.
            pub const LETTER: u8 = $letter;
            /// Bytes on the wire, with the type letter.
            pub const BYTES: usize = $length;

            #[inline(always)]
            fn get(bytes: &[u8; $length]) -> Result<$name, Malformed> {
                let at = HEADER_BYTES;
                $(
                    let end = at + <$type as Field>::BYTES;
                    let Some($field) = <$type as Field>::get(&bytes[at..end]) else {
                        return Err(Malformed { kind: Kind::Value, letter: $letter, offset: at as u16 });
                    };
                    let at = end;
                )*
                debug_assert!(at == $length);
                Ok($name { $($field,)* })
            }

            #[inline(always)]
            fn put(&self, bytes: &mut [u8; $length]) {
                bytes[0] = $letter;
                let at = HEADER_BYTES;
                $(
                    let end = at + <$type as Field>::BYTES;
                    self.$field.put(&mut bytes[at..end]);
                    let at = end;
                )*
                debug_assert!(at == $length);
            }
        }

        const _: () = assert!(HEADER_BYTES $(+ <$type as Field>::BYTES)* == $length);)*

        /// What a message says: one variant per ITCH 5.0 type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Body { $(#[doc = concat!("Type ", stringify!($letter), ".")] $name($name),)* }

        impl Body {
            /// The type letter on the wire.
            #[inline]
            pub const fn letter(&self) -> u8 {
                match self { $(Body::$name(_) => $letter,)* }
            }

            /// The message's name in the specification.
            pub const fn name(&self) -> &'static str {
                match self { $(Body::$name(_) => $title,)* }
            }

            /// Calls `each` with every field's name in the specification's words (`order_reference_number`) and its value, in wire
            /// order. For tools, not for the hot path.
            pub fn fields(&self, mut each: impl FnMut(&'static str, Value)) {
                match self { $(Body::$name(message) => { $(each(spoken!($field $(as $spoken)?), message.$field.show());)* })* }
            }
        }

        $(impl From<$name> for Body {
            #[inline]
            fn from(message: $name) -> Body { Body::$name(message) }
        })*

        /// The type letters, in the order of the specification.
        pub const LETTERS: [u8; 23] = [$($letter),*];

        /// Length of a message of this type, with its letter; 0 if there is no such type.
        #[inline]
        pub const fn length_of(letter: u8) -> usize {
            LENGTHS[letter as usize] as usize
        }

        const LENGTHS: [u8; 256] = {
            let mut lengths = [0; 256];
            $(lengths[$letter as usize] = $length;)*
            lengths
        };

        #[inline(always)]
        pub(super) fn decode(bytes: &[u8]) -> Result<Update, Malformed> {
            let Some(&letter) = bytes.first() else {
                return Err(Malformed { kind: Kind::Empty, letter: 0, offset: 0 });
            };
            match letter {
                $($letter => {
                    let Ok(whole) = <&[u8; $length]>::try_from(bytes) else { return Err(wrong_length(bytes)) };
                    Ok(Update { header: header(whole), body: Body::$name($name::get(whole)?) })
                })*
                _ => Err(Malformed { kind: Kind::Unknown, letter, offset: 0 }),
            }
        }

        #[inline]
        pub(super) fn encode(update: &Update, bytes: &mut [u8]) -> usize {
            match &update.body {
                $(Body::$name(message) => {
                    let whole: &mut [u8; $length] =
                        (&mut bytes[..$length]).try_into().expect("a slice of that length");
                    message.put(whole);
                    whole[1..3].copy_from_slice(&update.header.locate.to_be_bytes());
                    whole[3..5].copy_from_slice(&update.header.tracking.to_be_bytes());
                    update.header.time.put(&mut whole[5..11]);
                    $length
                })*
            }
        }
    };
}

#[cold]
fn wrong_length(bytes: &[u8]) -> Malformed {
    Malformed { kind: Kind::Length, letter: bytes[0], offset: bytes.len().min(u16::MAX as usize) as u16 }
}

#[inline(always)]
fn header<const N: usize>(bytes: &[u8; N]) -> Header {
    // One 8-byte load covers tracking and time: 16 bits, then 48.
    let word = u64::from_be_bytes(bytes[3..11].try_into().expect("8 bytes"));
    Header {
        time: Nanos(word & 0xFFFF_FFFF_FFFF),
        locate: u16::from_be_bytes([bytes[1], bytes[2]]),
        tracking: (word >> 48) as u16,
    }
}

messages! {
    /// S: the state of the whole market data session (4.1).
    SystemEvent "System Event" b'S' 12 {
        /// O start of messages, S start of system hours, Q start of market hours, M end of market hours,
        /// E end of system hours, C end of messages.
        event as event_code: Letter,
    }
    /// R: a stock and its properties, at the start of the day (4.2.1).
    StockDirectory "Stock Directory" b'R' 39 {
        /// The stock whose locate code the header defines.
        symbol as stock: Symbol,
        /// Listing market.
        market as market_category: Letter,
        /// Financial status.
        financial_status as financial_status_indicator: Letter,
        /// Shares of a round lot.
        round_lot as round_lot_size: u32,
        /// Y: only round lots.
        round_lots_only: Letter,
        /// Security class.
        classification as issue_classification: Letter,
        /// Security sub-type.
        subtype as issue_sub_type: [u8; 2],
        /// P production, T test.
        authenticity: Letter,
        /// Short-sale threshold.
        short_sale_threshold as short_sale_threshold_indicator: Letter,
        /// Y: a newly issued stock.
        ipo as ipo_flag: Letter,
        /// LULD reference price tier.
        luld_tier as luld_reference_price_tier: Letter,
        /// Y: an exchange-traded product.
        etp as etp_flag: Letter,
        /// Leverage factor of the product.
        etp_leverage as etp_leverage_factor: u32,
        /// Y: inverse exposure.
        inverse as inverse_indicator: Letter,
    }
    /// H: a stock's trading state (4.2.2).
    TradingAction "Stock Trading Action" b'H' 25 {
        /// The stock.
        symbol as stock: Symbol,
        /// H halted, P paused, Q quotation only, T trading.
        state as trading_state: Letter,
        /// Reserved.
        reserved: Letter,
        /// Reason code.
        reason: [u8; 4],
    }
    /// Y: short-sale price restriction (4.2.3).
    RegSho "Reg SHO Restriction" b'Y' 20 {
        /// The stock.
        symbol as stock: Symbol,
        /// 0 none, 1 in effect, 2 remains in effect.
        action as reg_sho_action: Letter,
    }
    /// L: a market participant's state in a stock (4.2.4).
    ParticipantPosition "Market Participant Position" b'L' 26 {
        /// The participant.
        mpid: [u8; 4],
        /// The stock.
        symbol as stock: Symbol,
        /// Y: primary market maker.
        primary as primary_market_maker: Letter,
        /// Market maker mode.
        mode as market_maker_mode: Letter,
        /// Participant state.
        state as market_participant_state: Letter,
    }
    /// V: the day's market-wide circuit breaker levels, with 8 decimals (4.2.5.1).
    MwcbLevels "MWCB Decline Level" b'V' 35 {
        /// Level 1.
        level_1: Price8,
        /// Level 2.
        level_2: Price8,
        /// Level 3.
        level_3: Price8,
    }
    /// W: a market-wide circuit breaker was breached (4.2.5.2).
    MwcbBreach "MWCB Status" b'W' 12 {
        /// 1, 2 or 3.
        level as breached_level: Letter,
    }
    /// K: the time from which an IPO may be quoted (4.2.6).
    IpoQuoting "IPO Quoting Period Update" b'K' 28 {
        /// The stock.
        symbol as stock: Symbol,
        /// Seconds since midnight.
        release_time as ipo_quotation_release_time: u32,
        /// A anticipated, C cancelled.
        qualifier as ipo_quotation_release_qualifier: Letter,
        /// Price of the IPO.
        price as ipo_price: Price,
    }
    /// J: collars of an auction after a LULD pause (4.2.7).
    LuldCollar "LULD Auction Collar" b'J' 35 {
        /// The stock.
        symbol as stock: Symbol,
        /// Reference price.
        reference as auction_collar_reference_price: Price,
        /// Upper collar.
        upper as upper_auction_collar_price: Price,
        /// Lower collar.
        lower as lower_auction_collar_price: Price,
        /// Number of extensions.
        extension as auction_collar_extension: u32,
    }
    /// h: one market's operational halt of a stock (4.2.8).
    OperationalHalt "Operational Halt" b'h' 21 {
        /// The stock.
        symbol as stock: Symbol,
        /// Q Nasdaq, B BX, X PSX.
        market as market_code: Letter,
        /// H halted, T lifted.
        action as operational_halt_action: Letter,
    }
    /// A: a new order, without attribution (4.3.1).
    Add "Add Order, No MPID Attribution" b'A' 36 {
        /// Reference of the order, unique for the day.
        order as order_reference_number: u64,
        /// Its side.
        side as buy_sell_indicator: Side,
        /// Its shares.
        shares: Qty,
        /// Its stock.
        symbol as stock: Symbol,
        /// Its limit.
        price: Price,
    }
    /// F: a new order with its participant (4.3.2).
    AddMpid "Add Order with MPID Attribution" b'F' 40 {
        /// Reference of the order, unique for the day.
        order as order_reference_number: u64,
        /// Its side.
        side as buy_sell_indicator: Side,
        /// Its shares.
        shares: Qty,
        /// Its stock.
        symbol as stock: Symbol,
        /// Its limit.
        price: Price,
        /// Who entered it.
        mpid as attribution: [u8; 4],
    }
    /// E: shares of a resting order executed at the order's own price (4.4.1).
    Executed "Order Executed" b'E' 31 {
        /// The resting order.
        order as order_reference_number: u64,
        /// Shares executed.
        shares as executed_shares: Qty,
        /// Number of the match.
        match_number: u64,
    }
    /// C: shares of a resting order executed at another price (4.4.2).
    ExecutedPrice "Order Executed With Price" b'C' 36 {
        /// The resting order.
        order as order_reference_number: u64,
        /// Shares executed.
        shares as executed_shares: Qty,
        /// Number of the match.
        match_number: u64,
        /// Y: counts for volume and the last price; N does not.
        printable: Letter,
        /// Price of the execution.
        price as execution_price: Price,
    }
    /// X: shares taken off a resting order (4.4.3).
    Cancel "Order Cancel" b'X' 23 {
        /// The resting order.
        order as order_reference_number: u64,
        /// Shares taken off.
        shares as cancelled_shares: Qty,
    }
    /// D: a resting order is gone (4.4.4).
    Delete "Order Delete" b'D' 19 {
        /// The order.
        order as order_reference_number: u64,
    }
    /// U: an order replaced by another, which keeps side, stock and participant but not its priority (4.4.5).
    Replace "Order Replace" b'U' 35 {
        /// The order that is gone.
        order as original_order_reference_number: u64,
        /// The order in its place.
        new_order as new_order_reference_number: u64,
        /// Shares of the new order.
        shares: Qty,
        /// Limit of the new order.
        price: Price,
    }
    /// P: a trade against an order that was not displayed; does not touch the book (4.5.1).
    Trade "Trade (Non-Cross)" b'P' 44 {
        /// 0 since 2010.
        order as order_reference_number: u64,
        /// Side of the order that was not displayed; always B since July 2014.
        side as buy_sell_indicator: Side,
        /// Shares traded.
        shares: Qty,
        /// The stock.
        symbol as stock: Symbol,
        /// Price of the trade.
        price: Price,
        /// Number of the match.
        match_number: u64,
    }
    /// Q: an auction's bulk print (4.5.2).
    Cross "Cross Trade" b'Q' 40 {
        /// Shares matched, 64 bits here only.
        shares: u64,
        /// The stock.
        symbol as stock: Symbol,
        /// Price of the cross.
        price as cross_price: Price,
        /// Number of the match.
        match_number: u64,
        /// O opening, C closing, H halt or IPO.
        cross as cross_type: Letter,
    }
    /// B: an execution was broken (4.5.3).
    Broken "Broken Trade" b'B' 19 {
        /// Number of the broken match.
        match_number: u64,
    }
    /// I: net order imbalance before an auction (4.6).
    Imbalance "Net Order Imbalance Indicator" b'I' 50 {
        /// Shares that match at the reference price.
        paired as paired_shares: u64,
        /// Shares that do not.
        imbalance as imbalance_shares: u64,
        /// B, S, N none, O not enough orders, P paused.
        direction as imbalance_direction: Letter,
        /// The stock.
        symbol as stock: Symbol,
        /// Clearing price of the auction book.
        far as far_price: Price,
        /// Clearing price with the continuous book.
        near as near_price: Price,
        /// Reference price.
        reference as current_reference_price: Price,
        /// Type of the cross.
        cross as cross_type: Letter,
        /// How far the near price is from the inside.
        variation as price_variation_indicator: Letter,
    }
    /// N: retail interest (4.7).
    RetailInterest "Retail Price Improvement Indicator" b'N' 20 {
        /// The stock.
        symbol as stock: Symbol,
        /// B, S, A both, N none.
        interest as interest_flag: Letter,
    }
    /// O: price discovery of a direct listing with capital raise (4.8).
    CapitalRaise "Direct Listing with Capital Raise" b'O' 48 {
        /// The stock.
        symbol as stock: Symbol,
        /// Y: may open.
        open_eligible as open_eligibility_status: Letter,
        /// Lowest price at which it may open.
        price_min as minimum_allowable_price: Price,
        /// Highest price at which it may open.
        price_max as maximum_allowable_price: Price,
        /// Current reference price.
        near_price as near_execution_price: Price,
        /// When that price was set, nanoseconds since midnight.
        near_time as near_execution_time: u64,
        /// Lower collar.
        lower as lower_price_range_collar: Price,
        /// Upper collar.
        upper as upper_price_range_collar: Price,
    }
}
