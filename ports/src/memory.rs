//! Shared memory without names: a sealed memfd and its mapping.
//!
//! Nothing is left behind when processes die, since there is no name; and a peer cannot shrink the memory under our
//! feet (which would be a SIGBUS), since [`Mapping::of`] takes sealed files only.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Makes `bytes` bytes of zeroes in shared memory whose size can never change again.
pub fn create(name: &str, bytes: u64) -> io::Result<OwnedFd> {
    let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, bytes)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

/// A mapping of a whole memfd, unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping is memory like any other; all access goes through raw pointers and atomics of its owner.
unsafe impl Send for Mapping {}
// SAFETY: as above; `&Mapping` only gives out a pointer.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps exactly `bytes` bytes (not zero) of a sealed memfd.
    pub fn of(file: impl AsFd, bytes: u64) -> io::Result<Mapping> {
        let bad = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
        let file = file.as_fd();
        let seals = fcntl_get_seals(file).map_err(|e| bad(format!("a descriptor that is no shared memory ({e})")))?;
        if !seals.contains(SealFlags::SHRINK) {
            return Err(bad("shared memory that is not sealed against shrinking".to_owned()));
        }
        let size = fstat(file)?.st_size.cast_unsigned();
        let length = usize::try_from(bytes).ok().filter(|n| *n > 0 && size == bytes);
        let length = length.ok_or_else(|| bad(format!("shared memory of {size} bytes instead of {bytes}")))?;
        let flags = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours; the file has `length`
        // bytes and cannot shrink.
        let start = unsafe { mmap(std::ptr::null_mut(), length, flags.0, flags.1, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or_else(|| bad("mapped at address zero".to_owned()))?;
        Ok(Mapping { start, bytes: length })
    }
    /// First byte; aligned to a page.
    #[inline]
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }
    /// Number of bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length are those of the mapping made in `of`, and nobody can use it any more. An error
        // could only mean that they are not, so there is nothing to do about it.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_sealed_memory_of_the_right_size() {
        let file = create("test", 8192).unwrap();
        assert_eq!(Mapping::of(&file, 8192).unwrap().bytes(), 8192);
        assert!(Mapping::of(&file, 4096).unwrap_err().to_string().contains("8192 bytes instead of 4096"));
        assert!(ftruncate(&file, 4096).is_err());
        let open = memfd_create("open", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&open, 4096).unwrap();
        assert!(Mapping::of(&open, 4096).unwrap_err().to_string().contains("not sealed"));
        let (socket, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(Mapping::of(&socket, 4096).unwrap_err().to_string().contains("no shared memory"));
    }
}
