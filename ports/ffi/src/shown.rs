//! Memory that a caller may look at.

use std::ops::{Deref, DerefMut};

/// Values shown to C or Python. Their memory stays until the session is closed, also that which has become too small: an
/// array over it may be kept for longer than it is valid. It then has other values in it, but never points nowhere.
pub(crate) struct Shown<T> {
    values: Vec<T>,
    outgrown: Vec<Vec<T>>,
}

impl<T> Default for Shown<T> {
    fn default() -> Self {
        Shown { values: Vec::new(), outgrown: Vec::new() }
    }
}

impl<T: Copy> Shown<T> {
    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        self.make_room(1);
        self.values.push(value);
    }

    pub(crate) fn extend_from_slice(&mut self, values: &[T]) {
        self.make_room(values.len());
        self.values.extend_from_slice(values);
    }

    #[inline]
    fn make_room(&mut self, more: usize) {
        if self.values.capacity() - self.values.len() < more {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let mut larger = Vec::with_capacity((2 * self.values.capacity()).max(self.values.len() + more));
        larger.extend_from_slice(&self.values);
        let outgrown = std::mem::replace(&mut self.values, larger);
        if outgrown.capacity() > 0 {
            self.outgrown.push(outgrown);
        }
    }
}

impl<T> Deref for Shown<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for Shown<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn what_was_shown_stays_readable() {
        let mut shown = Shown::default();
        let mut views = Vec::new();
        for n in 0..1000u32 {
            shown.clear();
            (0..n).for_each(|k| shown.push(k));
            assert!(shown.iter().copied().eq(0..n));
            views.push((shown.as_ptr(), shown.len()));
        }
        for (pointer, n) in views {
            // SAFETY: that this is sound is what `Shown` is for; every value in it was written.
            let view = unsafe { std::slice::from_raw_parts(pointer, n) };
            assert!(view.iter().copied().eq(0..n as u32));
        }
        shown.clear();
        shown.extend_from_slice(&[1; 5000]);
        assert_eq!((shown.len(), shown[4999]), (5000, 1));
    }
}
