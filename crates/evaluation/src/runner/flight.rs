use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::Scope;

use super::asked::{Asked, Back, Ticket};

/// The queries of a pass that are out at a time. One at a time runs on the caller's thread, several
/// on one each.
pub(super) struct Flight<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    asked: &'env Asked<'env>,
    concurrency: usize,
    sender: Sender<Option<Back>>,
    receiver: Receiver<Option<Back>>,
    /// Back already, where nothing runs beside the caller.
    back: VecDeque<Back>,
    out: usize,
    landed: usize,
    panicked: bool,
}

impl<'scope, 'env> Flight<'scope, 'env> {
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        asked: &'env Asked<'env>,
        concurrency: usize,
    ) -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            scope,
            asked,
            concurrency,
            sender,
            receiver,
            back: VecDeque::new(),
            out: 0,
            landed: 0,
            panicked: false,
        }
    }

    /// Whether nothing is out.
    pub(super) fn is_empty(&self) -> bool {
        self.out == 0
    }

    /// Whether nothing was ever sent.
    pub(super) fn is_first(&self) -> bool {
        self.out + self.landed == 0
    }

    /// Whether one more may go out. Where the first opens a connection the others wait for it.
    pub(super) fn has_room(&self) -> bool {
        let alone = self.asked.pass.is_remote() && self.landed == 0;
        self.out < if alone { 1 } else { self.concurrency }
    }

    pub(super) fn send(&mut self, ticket: Ticket) {
        self.out += 1;
        let asked = self.asked;
        if self.concurrency == 1 {
            self.back.push_back(asked.send(ticket));
            return;
        }
        let mut landing = Landing { sender: self.sender.clone(), back: None };
        self.scope.spawn(move || landing.bring(asked.send(ticket)));
    }

    /// What is back, without waiting.
    pub(super) fn poll(&mut self) -> Option<Back> {
        loop {
            let back = match self.back.pop_front() {
                Some(back) => Some(back),
                None => self.receiver.try_recv().ok()?,
            };
            if let Some(back) = self.land(back) {
                return Some(back);
            }
        }
    }

    /// The next that is back; `None` when nothing is out.
    pub(super) fn wait(&mut self) -> Option<Back> {
        while self.out > 0 {
            let back = match self.back.pop_front() {
                Some(back) => Some(back),
                // A sender is kept here, so this waits for as long as something is out.
                None => self.receiver.recv().ok()?,
            };
            if let Some(back) = self.land(back) {
                return Some(back);
            }
        }
        None
    }

    /// Whether a thread panicked: the scope passes that on when all have ended.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked
    }

    fn land(&mut self, back: Option<Back>) -> Option<Back> {
        self.out -= 1;
        self.landed += 1;
        self.panicked |= back.is_none();
        back
    }
}

/// Says that a thread has ended, however it ends: nobody waits for one that panicked.
struct Landing {
    sender: Sender<Option<Back>>,
    back: Option<Back>,
}

impl Landing {
    fn bring(&mut self, back: Back) {
        self.back = Some(back);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // Nobody listens only when the pass itself has panicked.
        let _ = self.sender.send(self.back.take());
    }
}
