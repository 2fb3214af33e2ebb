//! Fetching over real sockets, from a server that misbehaves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of it is tests")]

mod canary;
mod cut;
mod faults;
mod names;
mod orders;
mod reruns;
mod support;
mod tls;
mod tokens;
