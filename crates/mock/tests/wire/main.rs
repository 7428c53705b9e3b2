//! The server as a client of bare sockets sees it.

mod faults;
mod server;
mod support;
