use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::books::Entry;
use crate::wire::Tail;

/// Pieces of a body that drips.
const PIECES: usize = 8;
/// The wait before a reset, in which the first half of the body reaches the client.
const BEFORE_RESET: Duration = Duration::from_millis(20);

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In one piece.
    AtOnce,
    /// In pieces, over this long.
    Over(Duration),
    /// Half of it, then a reset.
    Half,
}

/// An answer's body, which ends its call in the books.
pub(crate) struct Paced {
    pieces: VecDeque<Bytes>,
    left: u64,
    /// Before each piece.
    pause: Duration,
    sleeping: Option<Pin<Box<Sleep>>>,
    breaks: bool,
    entry: Option<Entry>,
    tail: Tail,
}

impl Paced {
    /// `entry` is `None` for requests that the books leave out.
    pub(crate) fn new(bytes: Bytes, pace: Pace, entry: Option<Entry>, tail: Tail) -> Self {
        let (sent, piece, pause) = match pace {
            Pace::AtOnce => (bytes.len(), bytes.len(), Duration::ZERO),
            Pace::Over(time) => (bytes.len(), bytes.len().div_ceil(PIECES), time / PIECES as u32),
            Pace::Half => (bytes.len() / 2, bytes.len(), Duration::ZERO),
        };
        let mut rest = bytes.clone();
        rest.truncate(sent);
        let mut pieces = VecDeque::new();
        while !rest.is_empty() {
            pieces.push_back(rest.split_to(piece.clamp(1, rest.len())));
        }
        let (left, breaks) = (bytes.len() as u64, pace == Pace::Half);
        let mut body = Self { pieces, left, pause, sleeping: None, breaks, entry, tail };
        if body.is_end_stream() {
            body.end();
        }
        body
    }

    fn end(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.tail.ended(entry);
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let pause = if self.pieces.is_empty() { BEFORE_RESET } else { self.pause };
        if !pause.is_zero() {
            let sleeping = self.sleeping.get_or_insert_with(|| Box::pin(sleep(pause)));
            std::task::ready!(sleeping.as_mut().poll(context));
            self.sleeping = None;
        }
        if let Some(piece) = self.pieces.pop_front() {
            self.left -= piece.len() as u64;
            if self.is_end_stream() {
                self.end();
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        self.breaks = false;
        self.tail.reset();
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.breaks
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
