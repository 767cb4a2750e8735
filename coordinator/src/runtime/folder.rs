//! The folder of one run: `<out>/<label>/`, made once, never written over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::clock;

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    label: String,
    path: PathBuf,
}

/// Why a run folder could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The label cannot be the name of a folder.
    #[error(
        "`{0}` cannot be a label; use letters, digits, `-`, `_` and `.`, 200 bytes at most, and begin with a letter or a digit"
    )]
    BadLabel(String),
    /// A run of that label is there already.
    #[error(
        "there is a run `{label}` already, in {path}; runs are never written over: choose another --label, or delete that folder"
    )]
    Exists {
        /// The label asked for.
        label: String,
        /// Its folder.
        path: String,
    },
    /// The file system said no.
    #[error("cannot make the run's folder {path}: {source}\n  help: choose another place for runs with --out")]
    Io {
        /// The folder.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl RunFolder {
    /// Makes the folder of a run called `label`, or of one called by the date and `name`.
    ///
    /// Making the folder is what claims the label: of two runs started at once only one gets it.
    pub fn create(out: &Path, label: Option<&str>, name: &str) -> Result<Self, FolderError> {
        let (label, path) = claim(out, label, name)?;
        let folder = RunFolder { label, path };
        for part in [folder.logs(), folder.journals()] {
            if let Err(error) = fs::create_dir(&part) {
                folder.discard();
                return Err(io_error(&part)(error));
            }
        }
        Ok(folder)
    }
    /// Removes the folder of a run that did not begin: its label is free again.
    pub fn discard(&self) {
        // What cannot be removed is of no harm.
        let _ = fs::remove_dir_all(&self.path);
    }
    /// The run's label.
    pub fn label(&self) -> &str {
        &self.label
    }
    /// The folder, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Where the components' output goes.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }
    /// Where recordings grow during the run.
    pub fn journals(&self) -> PathBuf {
        self.path.join("journal")
    }
    /// The output of one rank.
    pub fn log(&self, component: &str, rank: u32) -> PathBuf {
        self.logs().join(format!("{component}.{rank}.log"))
    }
    /// The record of the run.
    pub fn record(&self) -> PathBuf {
        self.path.join("record.json")
    }
    /// What the run came to, as the user was shown it.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.txt")
    }
    /// The configuration that was run.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }
}

/// Makes an empty folder in `out`, called `label`, or by the date and `name`: its name and its absolute path.
pub fn claim(out: &Path, label: Option<&str>, name: &str) -> Result<(String, PathBuf), FolderError> {
    fs::create_dir_all(out).map_err(io_error(out))?;
    let out = out.canonicalize().map_err(io_error(out))?;
    match label {
        Some(label) => claim_label(&out, label),
        None => claim_date(&out, name),
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FolderError + use<> {
    let path = path.display().to_string();
    move |source| FolderError::Io { path, source }
}

fn valid(label: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    label.len() <= 200 && label.starts_with(char::is_alphanumeric) && label.chars().all(plain)
}

fn claim_label(out: &Path, label: &str) -> Result<(String, PathBuf), FolderError> {
    if !valid(label) {
        return Err(FolderError::BadLabel(label.to_string()));
    }
    let path = out.join(label);
    match fs::create_dir(&path) {
        Ok(()) => Ok((label.to_string(), path)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            Err(FolderError::Exists { label: label.to_string(), path: path.display().to_string() })
        }
        Err(source) => Err(FolderError::Io { path: path.display().to_string(), source }),
    }
}

fn claim_date(out: &Path, name: &str) -> Result<(String, PathBuf), FolderError> {
    let tame: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
    let stem = match tame.trim_matches('-') {
        "" => clock::stamp(SystemTime::now()),
        tame => format!("{}-{tame}", clock::stamp(SystemTime::now())),
    };
    let mut label = stem.clone();
    let mut number = 1;
    loop {
        match claim_label(out, &label) {
            Err(FolderError::Exists { .. }) => {
                number += 1;
                label = format!("{stem}-{number}");
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_taken_once() {
        let out = tempfile::tempdir().unwrap();
        let first = RunFolder::create(out.path(), Some("a1"), "x").unwrap();
        assert!(first.logs().is_dir() && first.journals().is_dir());
        let again = RunFolder::create(out.path(), Some("a1"), "x");
        assert!(matches!(again, Err(FolderError::Exists { .. })), "{again:?}");
    }

    #[test]
    fn dated_labels_of_one_second_differ() {
        let out = tempfile::tempdir().unwrap();
        let labels: std::collections::BTreeSet<String> =
            (0..5).map(|_| RunFolder::create(out.path(), None, "two words/é").unwrap().label().to_string()).collect();
        assert_eq!(labels.len(), 5);
        assert!(labels.iter().all(|l| l.contains("two-words-é")), "{labels:?}");
    }

    #[test]
    fn labels_stay_inside_the_folder() {
        let out = tempfile::tempdir().unwrap();
        for bad in ["", "..", "a/b", "-x", ".hidden", "a\nb"] {
            assert!(matches!(RunFolder::create(out.path(), Some(bad), "x"), Err(FolderError::BadLabel(_))), "{bad}");
        }
    }
}
