//! A stand-in for the carrier's API on this machine, which can be told to misbehave.
//!
//! It speaks HTTP/1.1 over sockets of its own, so that it can do what a proper server cannot: cut
//! an answer at any byte, drip it, lie about its length, reset the connection. The files it serves
//! are made of synthetic records ([`cdrlake_generate::frozen`]), so they convert.
//!
//! [`Sandbox`] is the server, [`Carrier`] what it answers by default, [`Reply`] an answer with
//! its faults, [`Certificates`] what `https` needs. The binary of the same name is for whoever
//! wants to try `cdrlake fetch` without credentials.

#![allow(clippy::expect_used, reason = "it ends a test or a trial, nobody's work")]

mod archive;
mod carrier;
mod certificates;
mod http;
mod reply;
mod server;
mod tunnel;

pub use archive::{consolidated, day, empty_zip, zip_of};
pub use carrier::{Carrier, Settings};
pub use certificates::{Certificate, Certificates};
pub use http::Request;
pub use reply::{Breach, Framing, Reply};
pub use server::{Mute, Sandbox};
pub use tunnel::{Seen, Tunnel};
