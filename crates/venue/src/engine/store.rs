//! Orders and levels: two slabs with free lists, and the queues threaded through them by index.

use super::command::{Owner, Ref};
use super::ladder::{Key, Ladder, Rung};
use crate::refs::Refs;
use tickline_units::{Price, Qty, Side};

/// "No slot".
pub(super) const NONE: u32 = u32::MAX;

/// A resting order; 32 bytes.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) order: Ref,
    pub(super) qty: u32,
    pub(super) prev: u32,
    pub(super) next: u32,
    pub(super) level: u32,
    pub(super) owner: Owner,
}

/// A price level: a queue of orders, oldest first; 32 bytes.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) qty: u64,
    pub(super) price: Price,
    pub(super) head: u32,
    pub(super) tail: u32,
    /// Orders of users in this queue.
    pub(super) owned: u32,
    pub(super) symbol: u16,
    pub(super) side: Side,
}

const _: () = assert!(size_of::<Slot>() == 32 && size_of::<Level>() == 32);

/// Neighbours in the list of one user's orders.
#[derive(Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
}

const UNLINKED: Link = Link { prev: NONE, next: NONE };

pub(super) struct Store {
    pub(super) slots: Vec<Slot>,
    links: Vec<Link>,
    free_slots: Vec<u32>,
    pub(super) levels: Vec<Level>,
    free_levels: Vec<u32>,
    pub(super) refs: Refs,
    /// Per symbol: bids, asks.
    pub(super) ladders: Vec<[Ladder; 2]>,
    /// Per owner: its oldest and newest order.
    lists: Vec<Link>,
}

/// Place of a side in a symbol's pair of ladders.
#[inline]
pub(super) const fn place(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

fn ladders() -> [Ladder; 2] {
    [Ladder::with_capacity(256), Ladder::with_capacity(256)]
}

impl Store {
    pub(super) fn list(&mut self) -> u16 {
        self.ladders.push(ladders());
        (self.ladders.len() - 1) as u16
    }

    pub(super) fn new(symbols: u16, orders: usize) -> Store {
        Store {
            slots: Vec::with_capacity(orders),
            links: Vec::with_capacity(orders),
            free_slots: Vec::with_capacity(orders),
            levels: Vec::with_capacity(orders),
            free_levels: Vec::with_capacity(orders),
            refs: Refs::with_capacity(orders),
            ladders: (0..symbols).map(|_| ladders()).collect(),
            lists: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn ladder(&self, symbol: u16, side: Side) -> &Ladder {
        &self.ladders[symbol as usize][place(side)]
    }

    #[inline]
    fn ladder_mut(&mut self, symbol: u16, side: Side) -> &mut Ladder {
        &mut self.ladders[symbol as usize][place(side)]
    }

    /// Puts an order at the end of its price's queue. `order` must not be in the book.
    #[inline]
    pub(super) fn rest(&mut self, order: Ref, owner: Owner, symbol: u16, side: Side, price: Price, qty: Qty) {
        let level = self.level_for(symbol, side, price);
        let slot = self.take_slot(Slot { order, qty: qty.0, prev: NONE, next: NONE, level, owner });
        let queue = &mut self.levels[level as usize];
        let tail = queue.tail;
        queue.tail = slot;
        queue.qty += qty.0 as u64;
        if tail == NONE {
            queue.head = slot;
        } else {
            self.slots[tail as usize].next = slot;
            self.slots[slot as usize].prev = tail;
        }
        let fresh = self.refs.insert(order.0, slot);
        debug_assert!(fresh);
        if owner.is_user() {
            self.levels[level as usize].owned += 1;
            self.ladder_mut(symbol, side).owned += 1;
            self.link(owner, slot);
        }
    }

    #[inline]
    fn level_for(&mut self, symbol: u16, side: Side, price: Price) -> u32 {
        let key = Key::of(side, price);
        let at = match self.ladder(symbol, side).find(key) {
            Ok(at) => return self.ladder(symbol, side).level(at),
            Err(at) => at,
        };
        let new = Level { qty: 0, price, head: NONE, tail: NONE, owned: 0, symbol, side };
        let level = match self.free_levels.pop() {
            Some(level) => {
                self.levels[level as usize] = new;
                level
            }
            None => {
                self.levels.push(new);
                (self.levels.len() - 1) as u32
            }
        };
        self.ladder_mut(symbol, side).insert(at, Rung { key, level });
        level
    }

    #[inline]
    fn take_slot(&mut self, new: Slot) -> u32 {
        match self.free_slots.pop() {
            Some(slot) => {
                self.slots[slot as usize] = new;
                slot
            }
            None => {
                self.slots.push(new);
                self.links.push(UNLINKED);
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Takes `by` shares from an order, which has more than that or exactly that; at 0 it leaves the book. What is left.
    #[inline]
    pub(super) fn shrink(&mut self, slot: u32, by: u32) -> u32 {
        let order = &mut self.slots[slot as usize];
        debug_assert!(by <= order.qty);
        order.qty -= by;
        let (left, level) = (order.qty, order.level);
        self.levels[level as usize].qty -= by as u64;
        if left == 0 {
            self.unlink(slot);
        }
        left
    }

    /// Takes an order out of its queue, the index and its owner's list.
    #[inline]
    fn unlink(&mut self, slot: u32) {
        let Slot { order, prev, next, level, owner, .. } = self.slots[slot as usize];
        if prev != NONE {
            self.slots[prev as usize].next = next;
        }
        if next != NONE {
            self.slots[next as usize].prev = prev;
        }
        let queue = &mut self.levels[level as usize];
        if prev == NONE {
            queue.head = next;
        }
        if next == NONE {
            queue.tail = prev;
        }
        let Level { head, symbol, side, price, .. } = *queue;
        if owner.is_user() {
            queue.owned -= 1;
            self.ladder_mut(symbol, side).owned -= 1;
            self.unlink_owner(owner, slot);
        }
        if head == NONE {
            self.ladder_mut(symbol, side).remove(Key::of(side, price));
            self.free_levels.push(level);
        }
        self.refs.remove(order.0);
        self.free_slots.push(slot);
    }

    #[cold]
    fn link(&mut self, owner: Owner, slot: u32) {
        if self.lists.len() <= owner.0 as usize {
            self.lists.resize(owner.0 as usize + 1, UNLINKED);
        }
        // In the list's header `next` is the oldest order and `prev` the newest.
        let newest = self.lists[owner.0 as usize].prev;
        self.links[slot as usize] = Link { prev: newest, next: NONE };
        self.lists[owner.0 as usize].prev = slot;
        if newest == NONE {
            self.lists[owner.0 as usize].next = slot;
        } else {
            self.links[newest as usize].next = slot;
        }
    }

    #[cold]
    fn unlink_owner(&mut self, owner: Owner, slot: u32) {
        let Link { prev, next } = self.links[slot as usize];
        let list = &mut self.lists[owner.0 as usize];
        if prev == NONE {
            list.next = next;
        }
        if next == NONE {
            list.prev = prev;
        }
        if prev != NONE {
            self.links[prev as usize].next = next;
        }
        if next != NONE {
            self.links[next as usize].prev = prev;
        }
    }

    /// The oldest order of a user, or `NONE`.
    pub(super) fn oldest_of(&self, owner: Owner) -> u32 {
        self.lists.get(owner.0 as usize).map_or(NONE, |list| list.next)
    }

    /// The next younger order of the same user, or `NONE`.
    pub(super) fn younger(&self, slot: u32) -> u32 {
        self.links[slot as usize].next
    }

    /// Slots of one level, oldest first.
    pub(super) fn queue(&self, level: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.levels[level as usize].head;
        std::iter::from_fn(move || {
            let slot = at;
            if slot == NONE {
                return None;
            }
            at = self.slots[slot as usize].next;
            Some(slot)
        })
    }
}
