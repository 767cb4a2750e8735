//! The cache folder, its lock, and folders that appear complete or not at all.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Progress, SetupError};

/// Environment variable: the cache folder.
pub const ENV_CACHE: &str = "COUPLE_CACHE";

/// The folder where simulators are made ready.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The user's cache folder; it is made when it is not there.
    pub fn open() -> Result<Self, SetupError> {
        let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let root = folder(ENV_CACHE)
            .or_else(|| folder("XDG_CACHE_HOME").filter(|f| f.is_absolute()).map(|f| f.join("couple")))
            .or_else(|| folder("HOME").map(|f| f.join(".cache/couple")));
        match root {
            Some(root) => Cache::at(&root),
            None => Err(SetupError::new(
                "there is no folder for the simulators: HOME is not set",
                format!("set {ENV_CACHE} to a folder that you may write"),
            )),
        }
    }

    /// The cache in the folder `root`.
    pub fn at(root: &Path) -> Result<Self, SetupError> {
        fs::create_dir_all(root).map_err(|e| SetupError::io("make the folder", root, &e))?;
        let root = std::path::absolute(root).map_err(|e| SetupError::io("find the folder", root, &e))?;
        Ok(Cache { root })
    }

    /// The path of an entry.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Keeps other processes from making anything, until the lock is dropped.
    pub(super) fn lock(&self, progress: Progress<'_>) -> Result<Lock, SetupError> {
        let path = self.path("lock");
        let error = |e: std::io::Error| SetupError::io("lock", &path, &e);
        let file = File::options().create(true).append(true).open(&path).map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress("waiting for another couple that is setting up");
                file.lock().map_err(error)?;
            }
            Err(TryLockError::Error(e)) => return Err(error(e)),
        }
        Ok(Lock { file })
    }

    /// The folder `name`; unless it is there and `whole`, `make` fills a partial one, which then gets its name.
    pub(super) fn folder(
        &self,
        name: &str,
        whole: impl Fn(&Path) -> bool,
        progress: Progress<'_>,
        make: impl FnOnce(&Path) -> Result<(), SetupError>,
    ) -> Result<PathBuf, SetupError> {
        let path = self.path(name);
        if path.is_dir() && whole(&path) {
            return Ok(path);
        }
        let _lock = self.lock(progress)?;
        if path.is_dir() && whole(&path) {
            return Ok(path);
        }
        // Someone who wanted room, or a cleaner of old files, has removed a part of it.
        remove(&path)?;
        let partial = self.path(&format!("{name}.partial"));
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(|e| SetupError::io("make the folder", &partial, &e))?;
        make(&partial)?;
        fs::rename(&partial, &path).map_err(|e| SetupError::io("finish", &path, &e))?;
        Ok(path)
    }
}

/// The only right to make something in the cache.
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Not left to closing: a child that is being started may hold a copy of the descriptor for a moment. That it
        // fails means no more than that the lock lasts until then.
        let _ = self.file.unlock();
    }
}

/// Removes a folder that may be there.
pub(super) fn remove(path: &Path) -> Result<(), SetupError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(SetupError::io("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Writes a file and the folders above it.
pub(super) fn write(path: &Path, content: &str) -> Result<(), SetupError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|e| SetupError::io("make the folder", folder, &e))?;
    fs::write(path, content).map_err(|e| SetupError::io("write", path, &e))
}

/// A short name for contents: the same for the same, different for different ones.
pub(super) fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
