//! Headers of Boost, which those of NEST include: the system's, or else from a Python wheel that ships them.

use std::path::{Path, PathBuf};

use super::cache::{Cache, remove};
use super::python::NETWORK;
use super::tools::Tools;
use super::{Progress, SetupError};

/// The wheel with the headers, and the version.
const WHEEL: &str = "cmeel-boost==1.90.0";
const VERSION: &str = "1.90.0";
/// What NEST's headers include.
const HEADERS: [&str; 4] =
    ["iterator/iterator_adaptor.hpp", "tuple/tuple.hpp", "sort/spreadsort/spreadsort.hpp", "type_index.hpp"];

/// Unpacks the parts that those headers need, in turn, out of 16,000 files: all at the top, and these libraries.
const UNPACK: &str = r#"
import pathlib, sys, zipfile
folder, target = map(pathlib.Path, sys.argv[1:])
libraries = """assert concept config container_hash core describe detail exception functional integer iterator move mp11
mpl optional predef preprocessor range smart_ptr sort tuple type_index type_traits utility""".split()
[wheel] = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        _, found, path = name.partition("/include/boost/")
        parts = path.split("/")
        if found and path and (len(parts) == 1 or parts[0] in libraries) and ".." not in parts:
            out = target / "include/boost" / path
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(archive.read(name))
"#;

/// A folder for `-I`; `None` when the compiler finds the system's headers by itself.
pub(super) fn include(
    cache: &Cache,
    tools: &Tools,
    python: &Path,
    progress: Progress<'_>,
) -> Result<Option<PathBuf>, SetupError> {
    let has_all = |root: &Path| HEADERS.iter().all(|header| root.join("boost").join(header).is_file());
    if has_all(Path::new("/usr/include")) || has_all(Path::new("/usr/local/include")) {
        return Ok(None);
    }
    let folder = cache.folder(
        &format!("boost-{VERSION}"),
        |folder| folder.join("include").is_dir(),
        progress,
        |partial| {
            progress(&format!("fetching the headers of Boost {VERSION} (36 MB)"));
            let download = partial.join("download");
            let arguments = ["-m", "pip", "download", "--no-input", "--progress-bar", "off", "--no-deps", "--dest"];
            let arguments: Vec<_> = arguments
                .iter()
                .map(|a| a.as_ref())
                .chain([download.as_os_str(), "--only-binary=:all:".as_ref(), WHEEL.as_ref()])
                .collect();
            let help = format!(
                "install them with the system's package manager (libboost-dev, boost-devel); or else: {NETWORK}"
            );
            tools.run(python, &arguments, progress, |why| {
                SetupError::new(format!("the headers of Boost could not be fetched: {why}"), help.clone())
            })?;
            let arguments = ["-c".as_ref(), UNPACK.as_ref(), download.as_os_str(), partial.as_os_str()];
            tools.run(python, &arguments, progress, |why| {
                SetupError::new(format!("the headers of Boost could not be unpacked: {why}"), help.clone())
            })?;
            if !has_all(&partial.join("include")) {
                return Err(SetupError::new(format!("{WHEEL} holds not all headers of Boost that NEST needs"), help));
            }
            remove(&download)
        },
    )?;
    Ok(Some(folder.join("include")))
}
