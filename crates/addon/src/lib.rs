//! The Node-API door: the only room that knows Node-API, one file per room behind it. `services/kit/native.ts` is the only loader.
//!
//! Rules: no panic crosses (napi-derive and `quick` turn them into exceptions, and none is expected); nothing here is called per message of a
//! TypeScript link; errors carry the stable code of the room they come from at the start of their message.

mod bell;
mod clock;
mod ensemble;
mod feed;
mod inspect;
mod journal;
mod learner;
mod model;
mod model_data;
mod network;
mod order_port;
mod probe;
mod process;
mod quick;
mod recorder;
mod rest;
mod segment;
mod train;
