//! Features of a book and its events.
