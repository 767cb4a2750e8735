//! The receiving half of analog signals: the samples that came, and what a window sees of them.

use super::SessionError;
use crate::control::{Columns, Interpolation, SignalIn, Welcome};
use crate::packet::{Packet, PacketError};
use crate::samples::{self, Rows};
use crate::time::{Span, Time};

/// A signal for receiving.
pub(super) struct SignalLink {
    /// Both ports, for messages to people.
    name: String,
    link: u32,
    first: u32,
    columns: usize,
    step: Span,
    /// The receiver's step.
    grid: Span,
    delay: Span,
    interpolation: Interpolation,
    lanes: Vec<Lane>,
    /// The samples that may still be seen: rows from number `row` on.
    history: Vec<f64>,
    row: i64,
    /// What the window that ends at `made` sees.
    block: Vec<f64>,
    made: Time,
}

/// The columns that come over one channel.
struct Lane {
    /// The first one, within the rank's columns.
    at: usize,
    count: usize,
    /// Everything up to here has come,
    start: Time,
    /// and so many values of the next window,
    position: u32,
    /// which ends here, once the first of them is there.
    end: Time,
}

impl SignalLink {
    pub(super) fn new(signal: &SignalIn, welcome: &Welcome) -> SignalLink {
        let columns = signal.count as usize;
        // Row 0 is the initial value.
        let history = (0..columns).map(|column| signal.initial[column % signal.initial.len()]).collect();
        SignalLink {
            name: format!("`{}` to `{}`", signal.source, signal.target),
            link: signal.link,
            first: signal.first,
            columns,
            step: signal.step,
            grid: welcome.step,
            delay: signal.delay,
            interpolation: signal.interpolation,
            lanes: Vec::new(),
            history,
            row: 0,
            block: Vec::new(),
            made: Time::MIN,
        }
    }

    /// Adds a channel that carries some of the columns, and gives its number; `None` when they are not this signal's, or
    /// not free any more.
    pub(super) fn lane(&mut self, columns: Columns) -> Option<usize> {
        let at = columns.first.checked_sub(self.first)? as usize;
        let count = columns.count as usize;
        let inside = count > 0 && at.checked_add(count)? <= self.columns && columns.every == self.step;
        let free = self.lanes.iter().all(|lane| at + count <= lane.at || lane.at + lane.count <= at);
        if !inside || !free {
            return None;
        }
        self.lanes.push(Lane { at, count, start: Time::ZERO, position: 0, end: Time::ZERO });
        Some(self.lanes.len() - 1)
    }

    /// Refuses columns that no channel carries.
    pub(super) fn check(&self) -> Result<(), SessionError> {
        let carried: usize = self.lanes.iter().map(|lane| lane.count).sum();
        if carried == self.columns {
            return Ok(());
        }
        let text = format!("{}: channels for {carried} of {} columns", self.name, self.columns);
        Err(SessionError::Protocol(text))
    }

    /// Takes a packet: a part of the next window's block.
    pub(super) fn take(&mut self, lane: usize, packet: &Packet<'_>) -> Result<(), PacketError> {
        let (header, link) = (&packet.header, self.link);
        let lane = &mut self.lanes[lane];
        let same = lane.position == 0 || header.end == lane.end;
        if header.start != lane.start || header.position != lane.position || !same {
            return Err(PacketError::Order {
                link,
                start: header.start,
                position: header.position,
                from: lane.start,
                expected: lane.position,
            });
        }
        if header.length().ns() % self.step.ns() != 0 {
            return Err(PacketError::Range { start: header.start, end: header.end });
        }
        let rows = samples::rows(header.start, header.end, self.step);
        let (all, until) =
            (rows.saturating_mul(lane.count as u64), u64::from(header.position) + u64::from(header.count));
        if until > all {
            return Err(PacketError::Block { link, values: until, rows, columns: lane.count as u32 });
        }
        let first = samples::first_row(header.start, self.step) - self.row;
        let mut cell = header.position as usize;
        let mut words = packet.words;
        while !words.is_empty() {
            let (row, column) = (cell / lane.count, cell % lane.count);
            let (part, rest) = words.split_at(words.len().min(lane.count - column));
            let at = (first as usize + row) * self.columns + lane.at + column;
            let needed = (first as usize + row + 1) * self.columns;
            if self.history.len() < needed {
                self.history.resize(needed, 0.0);
            }
            let values = &mut self.history[at..at + part.len()];
            values.iter_mut().zip(part).for_each(|(value, word)| *value = f64::from_bits(*word));
            if let Some(bad) = values.iter().position(|value| !value.is_finite()) {
                let column = self.first + (lane.at + column + bad) as u32;
                return Err(PacketError::NotFinite { link, column });
            }
            cell += part.len();
            words = rest;
        }
        (lane.position, lane.end) = (until as u32, header.end);
        if until == all {
            (lane.start, lane.position) = (header.end, 0);
        }
        Ok(())
    }

    /// What the window `(start, end]` sees: a row for its start and one for the end of each of its steps.
    /// Also gives the number of columns.
    pub(super) fn see(&mut self, start: Time, end: Time) -> Result<(&[f64], usize), SessionError> {
        if self.made != end {
            let made = self.make(start, end);
            let failed = |source| format!("signal {}, at simulated time {start}: {source}", self.name);
            made.map_err(|source| SessionError::Signal(failed(source)))?;
            self.made = end;
        }
        Ok((&self.block, self.columns))
    }

    fn make(&mut self, start: Time, end: Time) -> Result<(), PacketError> {
        let last = Rows::last_needed(end - self.delay, self.step, self.interpolation);
        let due = samples::stamp(last, self.step);
        if let Some(lane) = self.lanes.iter().find(|lane| lane.start < due) {
            return Err(PacketError::Missing { link: self.link, due, seen: lane.start });
        }
        self.forget(start);
        let rows = Rows { values: &self.history, columns: self.columns, first: self.row, step: self.step };
        let seen = samples::rows(start, end, self.grid) as usize + 1;
        self.block.resize(seen * self.columns, 0.0);
        if self.columns == 0 {
            return Ok(());
        }
        for (number, row) in (0..).zip(self.block.chunks_exact_mut(self.columns)) {
            rows.see(start + self.grid * number - self.delay, self.interpolation, row);
        }
        Ok(())
    }

    /// Drops the rows before what is seen at `start`, once they are more than half of all.
    fn forget(&mut self, start: Time) {
        let first = Rows::last_needed(start - self.delay, self.step, Interpolation::Hold);
        let unseen = (first - self.row) as usize * self.columns;
        if unseen * 2 > self.history.len() {
            self.history.drain(..unseen);
            self.row = first;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Header, Kind};
    use proptest::prelude::*;

    const STEP: Span = Span::from_ns(100);

    fn ns(ns: i64) -> Time {
        Time::from_ns(ns)
    }

    /// Three columns, from 4 on, that come over two channels: 4 and 5, and 6.
    fn link() -> SignalLink {
        let signal = SignalIn {
            source: "P.v".to_owned(),
            target: "E.i".to_owned(),
            width: 10,
            first: 4,
            count: 3,
            step: STEP,
            delay: STEP,
            min_delay: STEP,
            initial: vec![-1.0, -2.0, -3.0],
            ..SignalIn::default()
        };
        let mut wiring = crate::session::wiring::Wiring::new(STEP * 10);
        let rank = wiring.rank("b", STEP * 2);
        wiring.step(rank, STEP);
        let mut link = SignalLink::new(&signal, wiring.welcome(rank));
        let columns = |first, count| Columns { signal: 0, first, count, every: STEP };
        assert_eq!(link.lane(columns(3, 2)), None, "not ours");
        assert_eq!(link.lane(columns(4, 2)), Some(0));
        assert_eq!(link.lane(columns(5, 2)), None, "taken");
        assert!(link.check().is_err(), "column 6 is missing");
        assert_eq!(link.lane(columns(6, 1)), Some(1));
        assert!(link.check().is_ok());
        link
    }

    fn take(
        link: &mut SignalLink,
        lane: usize,
        window: (i64, i64),
        at: u32,
        values: &[f64],
    ) -> Result<(), PacketError> {
        let words: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
        let header = Header::words(Kind::Samples, 0, ns(window.0), ns(window.1));
        link.take(lane, &Packet { header: Header { position: at, count: words.len() as u32, ..header }, words: &words })
    }

    #[test]
    fn parts_come_together() {
        let mut link = link();
        take(&mut link, 1, (0, 200), 0, &[16.0, 26.0]).unwrap();
        take(&mut link, 0, (0, 200), 0, &[14.0, 15.0, 24.0]).unwrap();
        let early = link.see(ns(100), ns(300)).unwrap_err().to_string();
        assert!(early.contains("`P.v` to `E.i`") && early.contains("0.0002 ms"), "{early}");
        take(&mut link, 0, (0, 200), 3, &[25.0]).unwrap();
        assert_eq!(link.see(ns(0), ns(100)).unwrap(), (&[-1.0, -2.0, -3.0, -1.0, -2.0, -3.0][..], 3));
        let seen = link.see(ns(100), ns(300)).unwrap().0;
        assert_eq!(seen, [-1.0, -2.0, -3.0, 14.0, 15.0, 16.0, 24.0, 25.0, 26.0]);
    }

    #[test]
    fn each_fault_is_told() {
        let order = |taken| assert!(matches!(taken, Err(PacketError::Order { .. })), "{taken:?}");
        order(take(&mut link(), 0, (100, 200), 0, &[1.0, 2.0]));
        order(take(&mut link(), 0, (0, 200), 1, &[1.0]));
        let mut twice = link();
        take(&mut twice, 0, (0, 200), 0, &[1.0, 2.0]).unwrap();
        order(take(&mut twice, 0, (0, 200), 0, &[1.0, 2.0]));
        order(take(&mut twice, 0, (0, 300), 2, &[1.0, 2.0]));
        let long = take(&mut link(), 0, (0, 200), 0, &[1.0; 5]);
        assert!(matches!(long, Err(PacketError::Block { values: 5, rows: 2, columns: 2, .. })), "{long:?}");
        assert!(matches!(take(&mut link(), 0, (0, 150), 0, &[1.0; 2]), Err(PacketError::Range { .. })));
        let odd = take(&mut link(), 0, (0, 200), 0, &[1.0, f64::NAN]);
        assert!(matches!(odd, Err(PacketError::NotFinite { column: 5, .. })), "{odd:?}");
    }

    proptest! {
        /// Whatever comes, it is an error at worst, and memory grows with what came.
        #[test]
        fn packets_of_any_kind_never_panic(
            packets in proptest::collection::vec(
                (0usize..2, 0i64..4, 0i64..5, prop_oneof![0u32..9, any::<u32>()], proptest::collection::vec(any::<u64>(), 0..9)),
                0..40,
            ),
        ) {
            let mut link = link();
            for (lane, start, length, position, words) in packets {
                let header = Header::words(Kind::Samples, 0, ns(start * 50), ns((start + length) * 50));
                let header = Header { position, count: words.len() as u32, ..header };
                let _ = link.take(lane, &Packet { header, words: &words });
                let _ = link.see(ns(0), ns(200));
            }
            prop_assert!(link.history.len() < 1000);
        }
    }
}
