//! Goal: the engine and the flow allocate nothing once warm. Method: a counting allocator over minutes of generated flow.

use tickline_trials::{Counting, allocations};
use tickline_units::Nanos;
use tickline_venue::engine::{Engine, SelfTrade};
use tickline_venue::flow::{Flow, Listing, Rates};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_command_allocates_nothing_once_the_books_are_warm() {
    let before = allocations();
    let listings = [Listing { tick: 100, price: 1_000_000 }; 4];
    let mut flow = Flow::new(5, &listings, Rates::default(), Nanos(0), 1);
    let mut engine = Engine::new(4, 1 << 14, SelfTrade::default());
    let (mut commands, mut events) = (Vec::with_capacity(1024), Vec::with_capacity(1024));
    flow.open(&mut commands);
    let mut warm = allocations();
    assert!(warm > before, "the allocator counts");
    for step in 0..400_000 {
        for command in commands.drain(..) {
            engine.apply(&command, &mut events);
        }
        events.clear();
        flow.step(&engine, &mut commands);
        if step == 20_000 {
            warm = allocations();
        }
    }
    assert_eq!(allocations(), warm, "380,000 events without an allocation");
}
