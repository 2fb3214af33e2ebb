//! Fetching over real sockets, from a server that misbehaves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of it is tests")]

mod canary;
mod clocks;
mod connections;
mod contents;
mod cut;
mod faults;
mod interrupts;
mod lookups;
mod names;
mod orders;
mod reruns;
mod support;
mod tls;
mod tokens;
