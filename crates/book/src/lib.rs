//! Order-level books.
