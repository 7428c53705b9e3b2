//! The server as a client of bare sockets sees it.

#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod faults;
mod server;
mod support;
