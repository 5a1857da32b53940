//! How much a test tries: a little in `npm test`, much in `npm run test:long`. For tests alone; `test/trials.ts` is the same for TypeScript.
#![forbid(unsafe_code)]

/// `few`, or `many` where the environment says `TICKLINE_LONG=1`.
pub fn trials<T>(few: T, many: T) -> T {
    if std::env::var_os("TICKLINE_LONG").is_some_and(|value| value == "1") { many } else { few }
}
