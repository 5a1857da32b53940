//! The Node-API door.
