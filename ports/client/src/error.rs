//! What a client can do wrong, or what can happen to it.

use couple_ports::session::SessionError;

/// Why a call failed. The text names the component, and the port where there is one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The session failed, or the run has ended elsewhere.
    #[error("component `{component}`: {source}")]
    Session {
        /// Who this is.
        component: String,
        /// What happened.
        source: SessionError,
    },
    /// The network description cannot be read.
    #[error("the network description cannot be read: {0}")]
    Description(String),
    /// A port cannot be used so.
    #[error("component `{component}`, port `{port}`: {message}")]
    Port {
        /// Who this is.
        component: String,
        /// The port, as the program named it.
        port: String,
        /// What is wrong.
        message: String,
    },
    /// A call that does not belong here.
    #[error("component `{component}`: {message}")]
    Phase {
        /// Who this is.
        component: String,
        /// Which call, and where it belongs.
        message: String,
    },
}

impl Error {
    /// True when the run ends, and not because of this component.
    pub fn ended_elsewhere(&self) -> bool {
        use SessionError::{CoordinatorGone, Stopped};
        matches!(self, Error::Session { source: Stopped { .. } | CoordinatorGone { .. }, .. })
    }
}
