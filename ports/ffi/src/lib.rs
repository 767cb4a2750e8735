//! The C interface of a session: `include/couple.h`, where each function is documented.
//!
//! Everything here is a thin border: pointers become references or errors, panics become errors, and
//! `session::Session` does the work.

mod border;
mod description;
mod ports;
mod session;
mod shown;
mod signals;
mod table;

use std::ffi::{c_char, c_int};
use std::slice;

use border::{Fault, guard, guard_value, pointer, text};
pub use ports::Port;
use session::Session;
pub use signals::{Message, couple_messages, couple_samples, couple_send_message, couple_write_samples};

/// Spikes of one neuron with one time stamp.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spike {
    /// Nanoseconds since the start of the run.
    pub time_ns: i64,
    /// Global index.
    pub index: u32,
    /// How many.
    pub count: u32,
}

/// Synapses of a projection, as columns.
#[repr(C)]
#[derive(Debug)]
pub struct SynapseTable {
    /// Presynaptic neurons.
    pub pre: *mut u32,
    /// Postsynaptic neurons.
    pub post: *mut u32,
    /// Weights.
    pub weight: *mut f64,
    /// Delays.
    pub delay_ns: *mut i64,
    /// Length of each column.
    pub n: usize,
}

impl Default for SynapseTable {
    fn default() -> Self {
        let indices = std::ptr::null_mut();
        SynapseTable { pre: indices, post: indices, weight: std::ptr::null_mut(), delay_ns: std::ptr::null_mut(), n: 0 }
    }
}

/// See `couple.h`.
#[unsafe(no_mangle)]
pub extern "C" fn couple_connect() -> *mut Session {
    guard_value(std::ptr::null_mut(), || Ok(Box::into_raw(Box::new(Session::connect()?))))
}

/// See `couple.h`.
#[unsafe(no_mangle)]
pub extern "C" fn couple_last_error() -> *const c_char {
    border::last_error()
}

/// See `couple.h`.
///
/// # Safety
/// `session` is NULL or came from [`couple_connect`] and has not been closed; so for all functions here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_description(session: *mut Session) -> *const c_char {
    // SAFETY: as required of the caller.
    guard_value(std::ptr::null(), || Ok(unsafe { Session::of(session) }?.description().as_ptr()))
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_step(session: *mut Session) -> i64 {
    // SAFETY: as required of the caller.
    guard_value(-1, || Ok(unsafe { Session::of(session) }?.welcome.step.ns()))
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `name` is NULL or a C string, `out` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_find(session: *mut Session, kind: c_int, name: *const c_char, out: *mut Port) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let (session, name) = unsafe { (Session::of(session)?, text(name, "name")?) };
        let (out, port) = (pointer(out, "out")?, session.find(kind, name)?);
        // SAFETY: not NULL and can be written, as required of the caller.
        unsafe { out.write(port) };
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `out` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_synapses(session: *mut Session, projection: u32, out: *mut SynapseTable) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        let out = pointer(out, "out")?;
        // So that the table can be freed also after an error.
        // SAFETY: `out` is not NULL and can be written, as required of the caller.
        unsafe { out.write(SynapseTable::default()) };
        let table = session.synapses(projection)?;
        // SAFETY: `out` is not NULL and can be written, as required of the caller.
        unsafe { out.write(table) };
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// `table` is NULL or was filled by [`couple_synapses`] and not changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_synapses_free(table: *mut SynapseTable) {
    guard(|| {
        if !table.is_null() {
            // SAFETY: as required of the caller.
            unsafe { session::free_table(&mut *table) };
        }
        Ok(0)
    });
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `parameter` is a C string, `out` has room for `n` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_values(
    session: *mut Session,
    population: u32,
    parameter: *const c_char,
    out: *mut f64,
    n: usize,
) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let (session, name) = unsafe { (Session::of(session)?, text(parameter, "parameter")?) };
        let values = session.values(population, name, n)?;
        if n > 0 {
            let out = pointer(out, "out")?;
            // SAFETY: `values` has n numbers, and `out` has room for them, as required of the caller.
            unsafe { out.copy_from_nonoverlapping(values.as_ptr(), n) };
        }
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `indices` has `n` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_need(session: *mut Session, input: u32, indices: *const u32, n: usize) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        let indices = if n == 0 {
            &[]
        } else {
            pointer(indices.cast_mut(), "indices")?;
            // SAFETY: not NULL, and n numbers as required of the caller.
            unsafe { slice::from_raw_parts(indices, n) }
        };
        session.need(input, indices)?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_need_default(session: *mut Session) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        unsafe { Session::of(session) }?.need_default()?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_start(session: *mut Session) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        unsafe { Session::of(session) }?.start()?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `start_ns` and `end_ns` are NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_next_window(session: *mut Session, start_ns: *mut i64, end_ns: *mut i64) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        let (start, end) = (pointer(start_ns, "start_ns")?, pointer(end_ns, "end_ns")?);
        let Some(window) = session.next_window()? else { return Ok(0) };
        // SAFETY: not NULL and can be written, as required of the caller.
        unsafe {
            start.write(window.start.ns());
            end.write(window.end.ns());
        }
        Ok(1)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `events` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_input_events(session: *mut Session, input: u32, events: *mut *const Spike) -> i64 {
    guard_value(-1, || {
        // SAFETY: as required of the caller.
        unsafe { hand_out(Session::of(session)?.input_events(input)?, events) }
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `spikes` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_port_spikes(session: *mut Session, population: u32, spikes: *mut *const Spike) -> i64 {
    guard_value(-1, || {
        // SAFETY: as required of the caller.
        unsafe { hand_out(Session::of(session)?.arrivals(population)?, spikes) }
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `events` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_stimulus(
    session: *mut Session,
    population: u32,
    from_ns: i64,
    to_ns: i64,
    events: *mut *const Spike,
) -> i64 {
    guard_value(-1, || {
        // SAFETY: as required of the caller.
        unsafe { hand_out(Session::of(session)?.stimulus(population, from_ns, to_ns)?, events) }
    })
}

/// Gives the caller a view of spikes that belong to the session.
///
/// # Safety
/// `events` is NULL or can be written.
unsafe fn hand_out(spikes: &[Spike], events: *mut *const Spike) -> Result<i64, Fault> {
    let events = pointer(events, "events")?;
    // SAFETY: not NULL, and as required of the caller.
    unsafe { events.write(spikes.as_ptr()) };
    Ok(spikes.len() as i64)
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_emit(session: *mut Session, output: u32, index: u32, time_ns: i64) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        unsafe { Session::of(session) }?.emit(output, index, time_ns)?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `indices` and `times_ns` have `n` numbers each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_emit_many(
    session: *mut Session,
    output: u32,
    indices: *const u32,
    times_ns: *const i64,
    n: usize,
) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        if n == 0 {
            session.check_window("couple_emit_many")?;
            return Ok(0);
        }
        pointer(indices.cast_mut(), "indices")?;
        pointer(times_ns.cast_mut(), "times_ns")?;
        // SAFETY: not NULL, and n numbers as required of the caller.
        let (indices, times) = unsafe { (slice::from_raw_parts(indices, n), slice::from_raw_parts(times_ns, n)) };
        indices.iter().zip(times).try_for_each(|(index, time)| session.emit(output, *index, *time))?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_finish(session: *mut Session) -> c_int {
    guard(|| {
        // SAFETY: as required of the caller.
        unsafe { Session::of(session) }?.finish()?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_description`]; `message` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_fail(session: *mut Session, message: *const c_char) {
    guard(|| {
        // SAFETY: as required of the caller.
        let session = unsafe { Session::of(session) }?;
        // SAFETY: as required of the caller.
        let message = unsafe { text(message, "message") }.unwrap_or("the component gave no reason");
        session.fail(message);
        Ok(0)
    });
}

/// See `couple.h`.
///
/// # Safety
/// `session` is NULL or came from [`couple_connect`], and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_close(session: *mut Session) {
    guard(|| {
        if !session.is_null() {
            // SAFETY: made by Box::into_raw in `couple_connect`, and freed once, as required of the caller.
            drop(unsafe { Box::from_raw(session) });
        }
        Ok(0)
    });
}
