//! Analog signals and messages for C; `include/couple.h` documents each function.

use std::ffi::{c_int, c_void};

use couple_ports::packet::MAX_MESSAGE;
use couple_ports::samples;
use couple_ports::session::{Runtime, SessionError};
use couple_ports::time::Time;
use ndarray::ArrayView2;

use crate::border::{Fault, guard, guard_value, pointer};
use crate::description::owned;
use crate::ports::of_nobody;
use crate::session::Session;

/// A message that arrived.
#[repr(C)]
#[derive(Debug)]
pub struct Message {
    /// Nanoseconds since the start of the run, with the link's delay added.
    pub time_ns: i64,
    /// What it says.
    pub bytes: *const c_void,
    /// How many bytes.
    pub n: usize,
}

/// The messages of the window at hand, for each of the rank's incoming ports.
#[derive(Default)]
pub(crate) struct Mailbox {
    ports: Vec<Tray>,
    fetched: bool,
}

/// Messages of one port: what they say, and what C is shown of it.
#[derive(Default)]
struct Tray {
    texts: Vec<Box<[u8]>>,
    messages: Vec<Message>,
}

impl Mailbox {
    /// The next window begins.
    pub(crate) fn clear(&mut self) {
        if self.fetched {
            self.ports.clear();
            self.fetched = false;
        }
    }

    fn fetch(&mut self, run: &mut Runtime, ports: usize) -> Result<(), SessionError> {
        self.ports.resize_with(ports, Tray::default);
        run.for_each_message(|port, time, text| {
            let (tray, text) = (&mut self.ports[port], Box::<[u8]>::from(text));
            // A box stays where it is when the list of boxes grows.
            tray.messages.push(Message { time_ns: time.ns(), bytes: text.as_ptr().cast(), n: text.len() });
            tray.texts.push(text);
        })?;
        self.fetched = true;
        Ok(())
    }
}

impl Session {
    fn write_samples(&mut self, signal: u32, block: ArrayView2<'_, f64>) -> Result<(), Fault> {
        if let Some(population) = of_nobody(signal) {
            return self.write_to_nobody(population, block);
        }
        let written = self.running("couple_write_samples")?.write_samples(signal as usize, block);
        self.over_on_error(written)
    }

    /// Samples that nobody wants; a block of the wrong shape is wrong here, too.
    fn write_to_nobody(&mut self, population: usize, block: ArrayView2<'_, f64>) -> Result<(), Fault> {
        let window = self.check_window("couple_write_samples")?;
        let Some(population) = self.network.populations.get(population) else {
            return Err(Fault("there is no such outgoing signal".to_owned()));
        };
        let steps = samples::rows(window.start, window.end, self.welcome.step) as usize;
        let columns = owned(&self.welcome, population).len();
        if block.dim() == (steps, columns) {
            return Ok(());
        }
        Err(Fault(format!(
            "a block of {} rows and {} columns was written to a signal of `{}`, but the window ({}, {}] has {steps} steps \
             and this rank has {columns} columns",
            block.nrows(),
            block.ncols(),
            population.name,
            window.start,
            window.end
        )))
    }

    fn samples(&mut self, signal: u32) -> Result<ArrayView2<'_, f64>, Fault> {
        self.check_window("couple_samples")?;
        // A copy, since the memory of the run goes with it.
        let mut shown = self.samples.remove(&signal).unwrap_or_default();
        shown.clear();
        let seen = self.running("couple_samples")?.samples(signal as usize).map(|block| {
            block.as_slice().into_iter().for_each(|values| shown.extend_from_slice(values));
            block.dim()
        });
        self.samples.insert(signal, shown);
        let shape = self.over_on_error(seen)?;
        let shown: &[f64] = self.samples.get(&signal).map_or(&[], |shown| shown);
        ArrayView2::from_shape(shape, shown).map_err(|error| Fault(error.to_string()))
    }

    fn send_message(&mut self, port: u32, time_ns: i64, bytes: &[u8]) -> Result<(), Fault> {
        if of_nobody(port).is_some() {
            return self.check_window("couple_send_message").map(drop);
        }
        let run = self.running("couple_send_message")?;
        let sent = run.send_message(port as usize, Time::from_ns(time_ns), bytes);
        self.over_on_error(sent)
    }

    fn messages(&mut self, port: u32) -> Result<&[Message], Fault> {
        let all = self.welcome.messages_in.len();
        if of_nobody(port).is_some() {
            return self.check_window("couple_messages").map(|_| &[][..]);
        }
        if port as usize >= all {
            return Err(Fault(format!("there is no incoming message port {port}; there are {all}")));
        }
        if !self.mailbox.fetched {
            let mut mailbox = std::mem::take(&mut self.mailbox);
            let fetched = mailbox.fetch(self.running("couple_messages")?, all);
            self.mailbox = mailbox;
            self.over_on_error(fetched)?;
        }
        Ok(&self.mailbox.ports[port as usize].messages)
    }
}

/// See `couple.h`.
///
/// # Safety
/// `session` as for [`crate::couple_description`]; `values` has `rows * columns` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_write_samples(
    session: *mut Session,
    signal_out: u32,
    values: *const f64,
    rows: usize,
    columns: usize,
) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        let too_many = || Fault(format!("a block of {rows} rows and {columns} columns is larger than the memory"));
        let n = rows.checked_mul(columns).filter(|n| *n <= isize::MAX as usize / size_of::<f64>());
        let n = n.ok_or_else(too_many)?;
        let values = if n == 0 {
            &[]
        } else {
            pointer(values.cast_mut(), "values")?;
            // SAFETY: not NULL, and as many numbers as required of the caller.
            unsafe { std::slice::from_raw_parts(values, n) }
        };
        let block = ArrayView2::from_shape((rows, columns), values).map_err(|error| Fault(error.to_string()))?;
        session.write_samples(signal_out, block)?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// `session` as for [`crate::couple_description`]; `values`, `rows` and `columns` are NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_samples(
    session: *mut Session,
    signal_in: u32,
    values: *mut *const f64,
    rows: *mut usize,
    columns: *mut usize,
) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        let (values, rows) = (pointer(values, "values")?, pointer(rows, "rows")?);
        let columns = pointer(columns, "columns")?;
        let block = session.samples(signal_in)?;
        // The session's block is row by row, without gaps.
        // SAFETY: not NULL and can be written, as required of the caller.
        unsafe {
            values.write(block.as_ptr());
            rows.write(block.nrows());
            columns.write(block.ncols());
        }
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// `session` as for [`crate::couple_description`]; `bytes` has `n` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_send_message(
    session: *mut Session,
    message_out: u32,
    time_ns: i64,
    bytes: *const c_void,
    n: usize,
) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        let bytes: &[u8] = if n == 0 {
            &[]
        } else {
            pointer(bytes.cast_mut(), "bytes")?;
            // Nothing is read of a length that cannot be; one that is only too long is told with its port.
            if isize::try_from(n).is_err() {
                return Err(Fault(format!("a message of {n} bytes; {MAX_MESSAGE} is the most")));
            }
            // SAFETY: not NULL, and as many bytes as required of the caller.
            unsafe { std::slice::from_raw_parts(bytes.cast(), n) }
        };
        session.send_message(message_out, time_ns, bytes)?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// `session` as for [`crate::couple_description`]; `messages` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_messages(session: *mut Session, message_in: u32, messages: *mut *const Message) -> i64 {
    guard_value(-1, || {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        let out = pointer(messages, "messages")?;
        let messages = session.messages(message_in)?;
        // SAFETY: not NULL and can be written, as required of the caller.
        unsafe { out.write(messages.as_ptr()) };
        Ok(messages.len() as i64)
    })
}
