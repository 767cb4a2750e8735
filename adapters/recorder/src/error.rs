//! What can go wrong with a recording, with the place and the remedy.

use std::path::{Path, PathBuf};

/// Why a recording cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Neither `spikes.h5` nor a journal is there.
    #[error("{} holds no recording: neither spikes.h5 nor a journal", path.display())]
    NoRecording {
        /// The folder.
        path: PathBuf,
    },
    /// A rank is still writing.
    #[error("{} is still being written: the run has not ended", path.display())]
    StillRunning {
        /// The journal.
        path: PathBuf,
    },
    /// Journals of one run disagree with each other.
    #[error("{}: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The HDF5 file cannot be written or read.
    #[error("{}: {reason}", path.display())]
    Hdf5 {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The HDF5 file is readable but is no SONATA spike file.
    #[error("{}: {reason}", path.display())]
    NotSonata {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A population name that HDF5 cannot hold.
    #[error("population `{0}` cannot be the name of a group in an HDF5 file")]
    Name(String),
    /// A picture in another format than SVG.
    #[error("{}: the picture is an SVG, another format cannot be written", path.display())]
    Picture {
        /// Where it was to go.
        path: PathBuf,
    },
    /// The request makes no sense.
    #[error("{0}")]
    Request(String),
}

/// The result of working with recordings.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What the user can do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Error::Io { .. } | Error::Request(_) => None,
            Error::NoRecording { .. } => Some(
                "give the folder of a run (runs/<label>) or a SONATA file; spikes and variables are recorded where the \
                 configuration has a [[record]] table",
            ),
            Error::StillRunning { .. } => Some("wait until the run has ended; `show` reads what is there so far"),
            Error::Journal { .. } => {
                Some("move the journal out of the folder to finish the recording without it; nothing was removed")
            }
            Error::Hdf5 { .. } => Some("the file must be complete and not open for writing elsewhere"),
            Error::NotSonata { .. } => {
                Some("spikes are expected as /spikes/<population>/{timestamps, node_ids}, timestamps with units=\"ms\"")
            }
            Error::Picture { .. } => {
                Some("end the name in .svg: any browser opens it, and Inkscape or rsvg-convert make a PNG or PDF of it")
            }
            Error::Name(_) => Some("choose a name that is not empty, not `.` and without `/`; the journals are kept"),
        }
    }

    /// Wraps an error of the operating system.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { doing, path, source }
    }
}
