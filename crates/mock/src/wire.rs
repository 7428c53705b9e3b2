use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::books::Entry;

/// What bodies tell the connection that carries them.
#[derive(Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<Ends>>);

#[derive(Default)]
struct Ends {
    /// The call whose body has ended and whose last bytes may still be in buffers.
    last: Option<Entry>,
    /// Whether the connection is to end with a reset.
    reset: bool,
}

impl Tail {
    /// A body has ended.
    pub(crate) fn ended(&self, entry: Entry) {
        self.ends().last = Some(entry);
    }

    /// When the connection is closed, the other side is to see a reset.
    pub(crate) fn reset(&self) {
        self.ends().reset = true;
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that enters in the books when a body has left.
pub(crate) struct Wire {
    stream: TokioIo<TcpStream>,
    tail: Tail,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, tail: Tail) -> Self {
        Self { stream: TokioIo::new(stream), tail }
    }

    /// Entered before the bytes leave: whoever has read them must find the entry. Should they not
    /// leave after all, [`Drop`] takes it back.
    fn leaving(&self) {
        if let Some(entry) = &self.tail.ends().last {
            entry.end(true);
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut ends = self.tail.ends();
        if let Some(entry) = ends.last.take() {
            entry.end(false);
        }
        if ends.reset {
            // An error here leaves an ordinary close, which a client takes for a cut body as well.
            let _ = self.stream.inner().set_zero_linger();
        }
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.leaving();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.leaving();
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes only when all its buffers are written, so what has ended has left.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if let Poll::Ready(Ok(())) = flushed {
            self.tail.ends().last = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
