//! What stands between C and Rust: errors by thread, panics caught, pointers checked.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use couple_ports::session::SessionError;

/// An error to be told to the caller.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) String);

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Fault {
        Fault(error.to_string())
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

/// The text of this thread's last error.
pub(crate) fn last_error() -> *const c_char {
    LAST.with_borrow(|last| last.as_ptr())
}

fn remember(mut message: String) {
    message.retain(|c| c != '\0');
    // Without zeroes inside there is no error.
    LAST.set(CString::new(message).unwrap_or_default());
}

/// Calls `body`; an error or a panic is remembered and becomes -1.
pub(crate) fn guard(body: impl FnOnce() -> Result<c_int, Fault>) -> c_int {
    guard_value(-1, body)
}

/// Calls `body`; an error or a panic is remembered and becomes `otherwise`.
pub(crate) fn guard_value<T>(otherwise: T, body: impl FnOnce() -> Result<T, Fault>) -> T {
    // The session is not used after a panic other than to close it.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(Fault(message))) => {
            remember(message);
            otherwise
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            remember(format!("an internal fault of couple: {}", text.unwrap_or("unknown")));
            otherwise
        }
    }
}

/// Refuses NULL.
pub(crate) fn pointer<T>(pointer: *mut T, name: &str) -> Result<*mut T, Fault> {
    if pointer.is_null() { Err(Fault(format!("the argument `{name}` is NULL"))) } else { Ok(pointer) }
}

/// A C string.
///
/// # Safety
/// `text` is NULL or a C string that lives as long as it is used.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Fault> {
    pointer(text.cast_mut(), name)?;
    // SAFETY: not NULL, and as required of the caller.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Fault(format!("the argument `{name}` is not UTF-8")))
}
