// @hot
//! The books of every symbol seen: what rests, and reading it.

use crate::change::{Anomalies, Anomaly, BookId};
use crate::level::{Ladder, Level, Queue};
use crate::order::{Index, Order};
use crate::slab::{NIL, Slab};
use std::collections::BTreeMap;
use tickline_units::{Price, Qty, Side, Symbol};

/// How much memory to set aside at the start. More is taken when needed, counted by `Books::grown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Orders resting at the same time, all books together; 48 bytes each.
    pub orders: usize,
    /// Price levels at the same time, all books together; 44 bytes each.
    pub levels: usize,
    /// Books that get ladders at the start.
    pub books: usize,
    /// Levels a side of each of these; 8 bytes each.
    pub levels_per_side: usize,
}

impl Default for Capacity {
    /// Fits a few busy symbols in 3 MiB, most of it within a core's own cache; a full feed of every listed symbol grows to about
    /// 200 MiB within its first minutes.
    fn default() -> Capacity {
        Capacity { orders: 1 << 15, levels: 1 << 13, books: 16, levels_per_side: 1024 }
    }
}

/// Order-level books of every symbol seen, by MoldUDP64 order: a pure function of the messages applied.
///
/// Memory: one slab of orders, one of levels, one map from reference to order for all books; per side of a book an array of
/// levels with the best last. See `apply` for what messages do.
pub struct Books {
    pub(crate) index: Index,
    pub(crate) orders: Slab<Order>,
    pub(crate) queues: Slab<Queue>,
    pub(crate) sheets: Vec<Sheet>,
    /// Ladders set aside for books to come.
    spare: Vec<[Ladder; 2]>,
    symbols: BTreeMap<Symbol, BookId>,
    /// Today's book of each locate code.
    locates: Vec<BookId>,
    /// Messages of unknown symbols were missed today: new books are born stale.
    stale: bool,
    pub(crate) anomalies: Anomalies,
    pub(crate) grown: u64,
}

/// One book's own memory.
pub(crate) struct Sheet {
    pub(crate) symbol: Symbol,
    pub(crate) ladders: [Ladder; 2],
    pub(crate) orders: u32,
    /// Grows with every change of a side's orders.
    pub(crate) versions: [u64; 2],
    locate: Option<u16>,
    stale: bool,
}

/// An order as readers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// The exchange's order reference number, unique in a day.
    pub reference: u64,
    /// Limit price.
    pub price: Price,
    /// Shares left.
    pub qty: Qty,
    /// Market participant; zeros when not attributed.
    pub mpid: [u8; 4],
}

/// One symbol's book, to read.
#[derive(Clone, Copy)]
pub struct Book<'a> {
    books: &'a Books,
    sheet: &'a Sheet,
}

#[inline]
pub(crate) fn side_at(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

impl Default for Books {
    fn default() -> Books {
        Books::new(Capacity::default())
    }
}

impl Books {
    /// Empty books with memory set aside.
    pub fn new(capacity: Capacity) -> Books {
        let ladder = || Ladder::with_capacity(capacity.levels_per_side);
        Books {
            index: Index::with_capacity(capacity.orders),
            orders: Slab::with_capacity(capacity.orders),
            queues: Slab::with_capacity(capacity.levels),
            sheets: Vec::with_capacity(capacity.books),
            spare: (0..capacity.books).map(|_| [ladder(), ladder()]).collect(),
            symbols: BTreeMap::new(),
            locates: vec![BookId::NONE; 1 << 16],
            stale: false,
            anomalies: Anomalies::default(),
            grown: 0,
        }
    }

    /// The book with this place, unless there is none.
    #[inline]
    pub fn book(&self, id: BookId) -> Option<Book<'_>> {
        self.sheets.get(id.0 as usize).map(|sheet| Book { books: self, sheet })
    }

    /// Place of a symbol's book, once the symbol was seen or `open`ed.
    pub fn find(&self, symbol: Symbol) -> Option<BookId> {
        self.symbols.get(&symbol).copied()
    }

    /// Place of the book a locate code stands for today.
    #[inline]
    pub fn of_locate(&self, locate: u16) -> Option<BookId> {
        let id = self.locates[locate as usize];
        (id != BookId::NONE).then_some(id)
    }

    /// Makes the book of a symbol if it is not there yet, so that its memory is set aside before the first message.
    pub fn open(&mut self, symbol: Symbol) -> BookId {
        if let Some(id) = self.find(symbol) {
            return id;
        }
        let id = BookId(self.sheets.len() as u32);
        let ladders = self.spare.pop().unwrap_or_else(|| {
            self.grown += 1;
            [Ladder::with_capacity(16), Ladder::with_capacity(16)]
        });
        self.sheets.push(Sheet {
            symbol,
            ladders,
            orders: 0,
            versions: [0; 2],
            locate: None,
            stale: self.stale,
        });
        self.symbols.insert(symbol, id);
        id
    }

    /// Books of all symbols seen, in the order of symbols.
    pub fn by_symbol(&self) -> impl Iterator<Item = Book<'_>> + '_ {
        self.symbols.values().filter_map(|id| self.book(*id))
    }

    /// Number of books.
    pub fn len(&self) -> usize {
        self.sheets.len()
    }

    /// True before the first symbol.
    pub fn is_empty(&self) -> bool {
        self.sheets.is_empty()
    }

    /// Orders resting in all books.
    pub fn orders_resting(&self) -> usize {
        self.index.len()
    }

    /// Messages that failed a check since the start.
    pub fn anomalies(&self) -> Anomalies {
        self.anomalies
    }

    /// Times memory had to be taken after the start; 0 when `Capacity` was enough.
    pub fn grown(&self) -> u64 {
        self.grown + self.index.grown() + self.orders.grown() + self.queues.grown()
    }

    /// True when messages of this book were missed: it may be wrong and must not be traded on.
    #[inline]
    pub fn is_stale(&self, id: BookId) -> bool {
        self.sheets.get(id.0 as usize).is_none_or(|sheet| sheet.stale)
    }

    /// Marks every book stale, and those of symbols not seen yet: messages of unknown symbols were missed. `reset_day`
    /// clears the mark.
    pub fn mark_stale(&mut self) {
        self.stale = true;
        for sheet in &mut self.sheets {
            sheet.stale = true;
        }
    }

    /// Marks one book stale; `BookId::NONE` marks all, since it might be any.
    pub fn distrust(&mut self, id: BookId) {
        match self.sheets.get_mut(id.0 as usize) {
            Some(sheet) => sheet.stale = true,
            None => self.mark_stale(),
        }
    }

    /// A new day or session: all orders, levels, locate codes and stale marks go; symbols and their places stay.
    pub fn reset_day(&mut self) {
        self.index.clear();
        self.orders.clear();
        self.queues.clear();
        self.locates.fill(BookId::NONE);
        self.stale = false;
        for sheet in &mut self.sheets {
            sheet.ladders.iter_mut().for_each(Ladder::clear);
            sheet.orders = 0;
            sheet.versions.iter_mut().for_each(|version| *version += 1);
            sheet.locate = None;
            sheet.stale = false;
        }
    }

    /// The book of a locate code and a symbol that a message names together; binds them at first sight in a day.
    #[inline]
    pub(crate) fn bind(&mut self, locate: u16, symbol: Symbol) -> Result<BookId, Anomaly> {
        let id = self.locates[locate as usize];
        if id != BookId::NONE {
            let same = self.sheets[id.0 as usize].symbol == symbol;
            return if same { Ok(id) } else { Err(Anomaly::LocateMismatch) };
        }
        self.bind_new(locate, symbol)
    }

    #[cold]
    fn bind_new(&mut self, locate: u16, symbol: Symbol) -> Result<BookId, Anomaly> {
        let id = self.open(symbol);
        let sheet = &mut self.sheets[id.0 as usize];
        if sheet.locate.is_some() {
            return Err(Anomaly::LocateMismatch);
        }
        sheet.locate = Some(locate);
        self.locates[locate as usize] = id;
        Ok(id)
    }
}

impl<'a> Book<'a> {
    /// The stock.
    pub fn symbol(&self) -> Symbol {
        self.sheet.symbol
    }

    /// True when messages were missed.
    pub fn is_stale(&self) -> bool {
        self.sheet.stale
    }

    /// Orders resting on both sides.
    pub fn orders_resting(&self) -> u32 {
        self.sheet.orders
    }

    /// Price levels on a side.
    pub fn levels(&self, side: Side) -> usize {
        self.sheet.ladders[side_at(side)].len()
    }

    /// A number that grows with every change of the side's orders: where it is the same, so is the side.
    #[inline]
    pub fn version(&self, side: Side) -> u64 {
        self.sheet.versions[side_at(side)]
    }

    /// The best level of a side; `Level::default()` (price 0, no shares) when the side is empty.
    #[inline]
    pub fn best(&self, side: Side) -> Level {
        self.best_first(side).next().unwrap_or_default()
    }

    /// The levels of a side, best first.
    #[inline]
    pub fn best_first(&self, side: Side) -> impl Iterator<Item = Level> + 'a {
        self.queues(side).map(Queue::level)
    }

    /// Writes the best `n` levels of a side, best first, to `out` and returns how many there were; the rest of the first `n`
    /// places of `out` becomes `Level::default()`. `n` is cut to `out.len()`.
    #[inline]
    pub fn top(&self, side: Side, n: usize, out: &mut [Level]) -> usize {
        let n = n.min(out.len());
        let mut found = 0;
        for (place, level) in out[..n].iter_mut().zip(self.best_first(side)) {
            *place = level;
            found += 1;
        }
        out[found..n].fill(Level::default());
        found
    }

    /// Calls `each` with every order of a side in price-time priority.
    pub fn orders(&self, side: Side, mut each: impl FnMut(Resting)) {
        for queue in self.queues(side) {
            let mut at = queue.head;
            while at != NIL {
                let order = self.books.orders.at(at);
                each(Resting {
                    reference: order.reference,
                    price: queue.price,
                    qty: Qty(order.qty),
                    mpid: order.mpid,
                });
                at = order.next;
            }
        }
    }

    #[inline]
    fn queues(&self, side: Side) -> impl Iterator<Item = &'a Queue> + 'a {
        let books = self.books;
        self.sheet.ladders[side_at(side)].best_first().map(move |at| books.queues.at(at))
    }
}

impl Queue {
    #[inline]
    fn level(&self) -> Level {
        Level { price: self.price, qty: self.qty, orders: self.orders }
    }
}
