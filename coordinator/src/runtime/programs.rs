//! Where the programs that `couple` starts are found: next to its own executable, or in `COUPLE_LIBEXEC`.

use std::path::PathBuf;

/// The simulator of `simulator = "native"`.
pub const NATIVE: &str = "couple-native";
/// The converters of `simulator = "converter"`.
pub const CONVERTER: &str = "couple-converter";
/// Finishes, compares, shows and plots recordings.
pub const RECORDER: &str = "couple-recorder";
/// Environment variable: the folder of the programs, instead of the one that holds `couple`.
pub const ENV_LIBEXEC: &str = "COUPLE_LIBEXEC";

/// A program of this project is not where it should be.
#[derive(Debug, thiserror::Error)]
#[error("the program `{name}` is not in {folder}; install it beside `couple`, or set {ENV_LIBEXEC} to its folder")]
pub struct Missing {
    name: &'static str,
    folder: String,
}

/// The path of the program `name`.
pub fn find(name: &'static str) -> Result<PathBuf, Missing> {
    let folder = match std::env::var_os(ENV_LIBEXEC) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_path_buf())).unwrap_or_default(),
    };
    let path = folder.join(name);
    if path.is_file() { Ok(path) } else { Err(Missing { name, folder: folder.display().to_string() }) }
}
