//! What travels between this rank and the others, apart from how it is waited for.

use super::SessionError;
use super::inputs::Inputs;
use super::outputs::Outputs;
use crate::status::{StatusPage, publish_fence};
use crate::time::Time;

/// Both directions, and how far this rank is.
pub(super) struct Exchange {
    pub(super) inputs: Inputs,
    pub(super) outputs: Outputs,
    pub(super) now: Time,
}

impl Exchange {
    /// Takes packets out of rings that are more than half full, and wakes their senders.
    pub(super) fn relieve(&mut self, page: &StatusPage) -> Result<(), SessionError> {
        self.inputs.relieve(self.now, |line| wake(page, line))
    }
}

/// Wakes a rank that may wait for room in its ring.
pub(super) fn wake(page: &StatusPage, line: u32) {
    publish_fence();
    if let Some(line) = page.line(line) {
        line.wake();
    }
}
