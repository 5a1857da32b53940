// @hot
//! Positions and cash by instrument.

use tickline_units::Side;

/// What executions have made of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Shares held; negative when short.
    pub shares: i64,
    /// Money received less money paid, 1/10,000 dollar.
    pub cash: i128,
    /// Shares bought.
    pub bought: u64,
    /// Shares sold.
    pub sold: u64,
    /// Match number of the last execution counted.
    pub last_exec_id: u64,
}

/// Positions of the line's instruments.
#[derive(Clone, Debug)]
pub struct Positions {
    list: Box<[Position]>,
}

impl Positions {
    /// Flat in `instruments` instruments.
    pub fn new(instruments: usize) -> Positions {
        Positions { list: vec![Position::default(); instruments].into_boxed_slice() }
    }

    /// Position of an instrument; `None` when it is not the line's.
    #[inline]
    pub fn get(&self, instrument: u16) -> Option<&Position> {
        self.list.get(usize::from(instrument))
    }

    /// All positions in the order of the line's instruments.
    pub fn list(&self) -> &[Position] {
        &self.list
    }

    /// Counts an execution. The caller has made sure that it is counted once.
    pub fn executed(&mut self, instrument: u16, side: Side, qty: u32, price: u32, exec_id: u64) {
        let Some(position) = self.list.get_mut(usize::from(instrument)) else { return };
        let money = i128::from(qty) * i128::from(price);
        match side {
            Side::Buy => {
                position.shares += i64::from(qty);
                position.cash -= money;
                position.bought += u64::from(qty);
            }
            Side::Sell => {
                position.shares -= i64::from(qty);
                position.cash += money;
                position.sold += u64::from(qty);
            }
        }
        position.last_exec_id = exec_id;
    }

    /// Takes back an execution that was counted.
    pub fn broken(&mut self, instrument: u16, side: Side, qty: u32, price: u32) {
        let Some(position) = self.list.get_mut(usize::from(instrument)) else { return };
        let money = i128::from(qty) * i128::from(price);
        match side {
            Side::Buy => {
                position.shares -= i64::from(qty);
                position.cash += money;
                position.bought -= u64::from(qty);
            }
            Side::Sell => {
                position.shares += i64::from(qty);
                position.cash -= money;
                position.sold -= u64::from(qty);
            }
        }
    }
}
