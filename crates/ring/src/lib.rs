//! Shared-memory segments, channels, control block and bells.
