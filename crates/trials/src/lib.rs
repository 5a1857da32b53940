//! For tests alone: how much a test tries, and a thread's allocations counted.

mod counting;

pub use counting::{Counting, allocations};

/// `few`, or `many` where the environment says `TICKLINE_LONG=1`: a little in `npm test`, much in `npm run test:long`. `test/trials.ts`
/// is the same for TypeScript.
pub fn trials<T>(few: T, many: T) -> T {
    if std::env::var_os("TICKLINE_LONG").is_some_and(|value| value == "1") { many } else { few }
}
