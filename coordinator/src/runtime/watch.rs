//! The shared memory of a run, which the coordinator makes and gives to the ranks: the status page, which it also
//! reads, and the rings, which it never touches.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use couple_ports::status::{self, Progress, StatusPage};
use couple_ports::time::Time;
use couple_ports::transport::shm;

use crate::plan::Channel;

/// The status page, as the coordinator reads it. Ranks write it, and a faulty rank may write anything.
#[derive(Debug)]
pub struct Watch {
    page: StatusPage,
}

impl Watch {
    /// A new page for `lines` ranks, and the descriptor that they get.
    pub fn create(lines: u32) -> io::Result<(Self, Arc<OwnedFd>)> {
        let file = status::create(lines)?;
        let page = StatusPage::map(&file, lines)?;
        Ok((Watch { page }, Arc::new(file)))
    }
    /// Simulated time that the rank of `line` has reached.
    pub fn time(&self, line: usize) -> Time {
        self.page.lines()[line].time()
    }
    /// The line of the rank that it waits for.
    pub fn waiting_on(&self, line: usize) -> Option<usize> {
        let lines = self.page.lines();
        lines[line].progress().waiting_on.map(|peer| peer as usize).filter(|peer| *peer < lines.len())
    }
    /// What it says about itself.
    pub fn progress(&self, line: usize) -> Progress {
        self.page.lines()[line].progress()
    }
    /// Asks all ranks to leave.
    pub fn stop_all(&self) {
        self.page.stop_all();
    }
}

/// The rings of the channels, by the channels' ids.
pub fn rings(channels: &[Channel]) -> io::Result<Vec<Arc<OwnedFd>>> {
    channels.iter().map(|channel| shm::create(channel.capacity).map(Arc::new)).collect()
}
