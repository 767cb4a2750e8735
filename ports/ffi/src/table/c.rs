//! The C functions of input tables; see `couple.h`.

use std::ffi::c_int;

use super::plastic::Plasticity;
use super::{Columns, Table};
use crate::border::{Fault, guard, guard_value, pointer};
use crate::{Spike, SynapseTable};

/// What [`couple_table_take`] hands out; the columns belong to the table.
#[repr(C)]
#[derive(Debug)]
pub struct ArrivalColumns {
    /// Number of times.
    pub times: usize,
    /// Times of arrival, ascending.
    pub time_ns: *const i64,
    /// `times + 1` positions: those of time `i` are `first[i]..first[i + 1]`.
    pub first: *const usize,
    /// Places, ascending within each time.
    pub place: *const u32,
    /// Sums of weights.
    pub sum: *const f64,
}

/// See `couple.h`.
#[unsafe(no_mangle)]
pub extern "C" fn couple_table_new(places: u32, grid_ns: i64) -> *mut Table {
    guard_value(std::ptr::null_mut(), || Ok(Box::into_raw(Box::new(Table::new(places, grid_ns).map_err(Fault)?))))
}

/// See `couple.h`.
///
/// # Safety
/// `table` is NULL or came from [`couple_table_new`] and has not been freed; so for all functions here. `synapses` is
/// NULL or holds columns of its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_table_source(table: *mut Table, width: u32, synapses: *const SynapseTable) -> i64 {
    guard_value(-1, || {
        // SAFETY: not NULL, and as required of the caller.
        let (table, synapses) =
            unsafe { (&mut *pointer(table, "table")?, &*pointer(synapses.cast_mut(), "synapses")?) };
        // SAFETY: columns of its length, as required of the caller.
        let columns = unsafe { columns(synapses)? };
        Ok(i64::from(table.add_source(width, columns).map_err(Fault)?))
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_table_source`]; `neurons` has as many elements as there are synapses, `rule` is NULL or can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_table_plastic(
    table: *mut Table,
    width: u32,
    synapses: *const SynapseTable,
    neurons: *const u32,
    rule: *const Plasticity,
) -> i64 {
    guard_value(-1, || {
        // SAFETY: not NULL, and as required of the caller.
        let (table, synapses, rule) = unsafe {
            (
                &mut *pointer(table, "table")?,
                &*pointer(synapses.cast_mut(), "synapses")?,
                *pointer(rule.cast_mut(), "rule")?,
            )
        };
        // SAFETY: columns of its length, as required of the caller.
        let (columns, neurons) = unsafe { (columns(synapses)?, column(neurons, synapses.n, "neurons")?) };
        Ok(i64::from(table.add_plastic(width, columns, neurons, rule).map_err(Fault)?))
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_table_source`]; `spikes` has `n` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_table_posts(table: *mut Table, spikes: *const Spike, n: usize) -> c_int {
    guard(|| {
        // SAFETY: not NULL, and n spikes, as required of the caller.
        let (table, spikes) = unsafe { (&mut *pointer(table, "table")?, column(spikes, n, "spikes")?) };
        table.add_posts(spikes);
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_table_source`]; `spikes` has `n` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_table_spikes(table: *mut Table, source: u32, spikes: *const Spike, n: usize) -> c_int {
    guard(|| {
        // SAFETY: not NULL, and as required of the caller.
        let table = unsafe { &mut *pointer(table, "table")? };
        // SAFETY: n spikes, as required of the caller.
        let spikes = unsafe { column(spikes, n, "spikes")? };
        table.add_spikes(source, spikes).map_err(Fault)?;
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_table_source`]; `out` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_table_take(table: *mut Table, until_ns: i64, out: *mut ArrivalColumns) -> c_int {
    guard(|| {
        // SAFETY: not NULL, and as required of the caller.
        let (table, out) = unsafe { (&mut *pointer(table, "table")?, pointer(out, "out")?) };
        let arrivals = table.take(until_ns);
        let columns = ArrivalColumns {
            times: arrivals.time_ns.len(),
            time_ns: arrivals.time_ns.as_ptr(),
            first: arrivals.first.as_ptr(),
            place: arrivals.place.as_ptr(),
            sum: arrivals.sum.as_ptr(),
        };
        // SAFETY: not NULL and can be written, as required of the caller.
        unsafe { out.write(columns) };
        Ok(0)
    })
}

/// See `couple.h`.
///
/// # Safety
/// As for [`couple_table_source`]; it is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn couple_table_free(table: *mut Table) {
    guard(|| {
        if !table.is_null() {
            // SAFETY: made by Box::into_raw in `couple_table_new`, and freed once, as required of the caller.
            drop(unsafe { Box::from_raw(table) });
        }
        Ok(0)
    });
}

/// # Safety
/// `synapses` holds columns of its length, which live as long as they are used.
unsafe fn columns<'a>(synapses: &SynapseTable) -> Result<Columns<'a>, Fault> {
    // SAFETY: as required of the caller.
    unsafe {
        Ok(Columns {
            pre: column(synapses.pre, synapses.n, "pre")?,
            place: column(synapses.post, synapses.n, "post")?,
            weight: column(synapses.weight, synapses.n, "weight")?,
            delay_ns: column(synapses.delay_ns, synapses.n, "delay_ns")?,
        })
    }
}

/// # Safety
/// `column` is NULL or has `n` elements, which live as long as the slice is used.
unsafe fn column<'a, T>(column: *const T, n: usize, name: &str) -> Result<&'a [T], Fault> {
    if n == 0 {
        return Ok(&[]);
    }
    pointer(column.cast_mut(), name)?;
    // SAFETY: not NULL, and n elements as required of the caller.
    Ok(unsafe { std::slice::from_raw_parts(column, n) })
}
