//! The table at the head of a journal: what is recorded in it.

use super::{JournalLink, JournalSignal, MAGIC, VERSION};
use crate::time::Span;

/// The head of the file: magic, version, length of the table, table.
pub(super) fn encode(links: &[JournalLink], signals: &[JournalSignal]) -> Vec<u8> {
    let mut table = Vec::new();
    numbers(&mut table, &[links.len() as u32]);
    for link in links {
        numbers(&mut table, &[link.link, link.width]);
        text(&mut table, &link.population);
    }
    numbers(&mut table, &[signals.len() as u32]);
    for signal in signals {
        numbers(&mut table, &[signal.link, signal.width, signal.first, signal.count]);
        table.extend_from_slice(&signal.every.ns().to_le_bytes());
        for name in [&signal.population, &signal.variable, &signal.unit] {
            text(&mut table, name);
        }
        numbers(&mut table, &[signal.initial.len() as u32]);
        signal.initial.iter().for_each(|value| table.extend_from_slice(&value.to_le_bytes()));
    }
    let mut head = MAGIC.to_vec();
    numbers(&mut head, &[VERSION, table.len() as u32]);
    head.extend_from_slice(&table);
    head
}

fn numbers(bytes: &mut Vec<u8>, numbers: &[u32]) {
    numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    numbers(bytes, &[text.len() as u32]);
    bytes.extend_from_slice(text.as_bytes());
}

/// Reads the table; `None` when the bytes are no table.
pub(super) fn decode(bytes: &[u8]) -> Option<(Vec<JournalLink>, Vec<JournalSignal>)> {
    let mut bytes = Bytes(bytes);
    let mut links = Vec::new();
    for _ in 0..bytes.number()? {
        let (link, width) = (bytes.number()?, bytes.number()?);
        links.push(JournalLink { link, width, population: bytes.text()? });
    }
    let mut signals = Vec::new();
    for _ in 0..bytes.number()? {
        signals.push(bytes.signal()?);
    }
    bytes.0.is_empty().then_some((links, signals))
}

/// What is left of the table.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }
    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }
    fn text(&mut self) -> Option<String> {
        let length = self.number()? as usize;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(std::str::from_utf8(text).ok()?.to_owned())
    }
    fn signal(&mut self) -> Option<JournalSignal> {
        let (link, width, first, count) = (self.number()?, self.number()?, self.number()?, self.number()?);
        let every = Span::from_ns(self.take().map(i64::from_le_bytes)?);
        let (population, variable, unit) = (self.text()?, self.text()?, self.text()?);
        let mut initial = Vec::new();
        for _ in 0..self.number()? {
            initial.push(self.take().map(f64::from_le_bytes)?);
        }
        let columns = first.checked_add(count)? <= width && count > 0;
        let values = initial.len() <= 1 || initial.len() == count as usize;
        let right = columns && every > Span::ZERO && values && initial.iter().all(|value| value.is_finite());
        right.then_some(JournalSignal { link, population, variable, unit, width, first, count, every, initial })
    }
}
