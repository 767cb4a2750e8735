//! NEST: a Python with NEST 3.10, and the extension that exchanges spikes with the other components.
//!
//! ```no_run
//! # use couple::setup::{nest, Cache};
//! let environment = nest::ensure(None, &|line| eprintln!("{line}"))?;
//! let command = nest::command(&environment, std::path::Path::new("/usr/lib/couple/libcouple_ffi.so"));
//! println!("{:?} with {:?}", command.argv, command.env);
//! # Ok::<(), couple::setup::SetupError>(())
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::cache::Cache;
use super::tools::Tools;
use super::{Progress, SetupError, extension, python, sources};

/// The shared library with the C functions of a session, beside `couple`'s other programs.
pub const LIBRARY: &str = "libcouple_ffi.so";
/// Environment variable: where [`LIBRARY`] is, for the Python package.
pub(super) const ENV_LIBRARY: &str = "COUPLE_FFI_LIB";

/// What a NEST component runs on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NestEnvironment {
    /// The interpreter.
    pub python: PathBuf,
    /// NEST's version.
    pub version: String,
    /// The compiled extension.
    pub module: PathBuf,
    /// The folder of the `couple` package, for PYTHONPATH.
    pub package: PathBuf,
    /// True for the managed environment, false for the user's own interpreter.
    pub managed: bool,
}

/// What to execute for a rank of a NEST component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Environment variables beside those that every rank gets.
    pub env: Vec<(OsString, OsString)>,
}

/// Makes NEST ready, and says where it is. `python` is the component's own interpreter; without it the managed
/// environment is used, and made when it is not there. Quick when nothing is missing.
pub fn ensure(python: Option<&str>, progress: Progress<'_>) -> Result<NestEnvironment, SetupError> {
    ensure_in(&Cache::open()?, &Tools::from_environment(), python, progress)
}

pub(super) fn ensure_in(
    cache: &Cache,
    tools: &Tools,
    python: Option<&str>,
    progress: Progress<'_>,
) -> Result<NestEnvironment, SetupError> {
    let interpreter = match python {
        None => python::managed(cache, tools, progress)?,
        Some(name) => {
            let path = tools.find(name).ok_or_else(|| {
                SetupError::new(format!("there is no Python `{name}`"), "give the path of an interpreter that has NEST")
            })?;
            python::probe(&tools.as_user(), &path)?
        }
    };
    let module = extension::module(cache, tools, &interpreter, progress)?;
    let package = sources::package(cache, progress)?;
    let (managed, version) = (python.is_none(), interpreter.version);
    Ok(NestEnvironment { python: interpreter.python, version, module, package, managed })
}

/// The interpreter of the managed environment, if that has been made; makes nothing.
pub fn installed() -> Option<PathBuf> {
    Some(python::installed(&Cache::open().ok()?, &Tools::from_environment())?.python)
}

/// The command of each rank of a NEST component; `library` is the path of [`LIBRARY`]. The user's script, if there is
/// one, is found through the session.
pub fn command(environment: &NestEnvironment, library: &Path) -> Command {
    let variable = |name: &str, value: OsString| (OsString::from(name), value);
    let mut path = environment.package.clone().into_os_string();
    // The user's own modules may need it; the managed environment has all it needs, and keeps its own.
    if let Some(users) = std::env::var_os("PYTHONPATH").filter(|p| !environment.managed && !p.is_empty()) {
        path.push(":");
        path.push(users);
    }
    Command {
        argv: vec![environment.python.clone().into(), "-m".into(), "couple.nest".into()],
        env: vec![
            variable("PYTHONPATH", path),
            // Nothing in the working directory takes the place of a module.
            variable("PYTHONSAFEPATH", "1".into()),
            variable("PYTHONUNBUFFERED", "1".into()),
            variable("PYNEST_QUIET", "1".into()),
            // Threads that spin while they wait for each other starve the processes they share cores with.
            variable("OMP_WAIT_POLICY", "passive".into()),
            variable(ENV_LIBRARY, library.into()),
            variable("COUPLE_NEST_MODULE", environment.module.clone().into()),
        ],
    }
}
