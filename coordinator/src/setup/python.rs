//! Python interpreters: the managed environment, and what a user's own one has.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cache::{Cache, hash, remove, write};
use super::tools::Tools;
use super::{Progress, SetupError};

/// What the managed environment holds. NumPy is pinned to the last release for each Python.
const REQUIREMENTS: &[&str] = &[
    "nest-simulator==3.10.0",
    "numpy==2.4.6; python_version >= '3.11'",
    "numpy==2.2.6; python_version == '3.10'",
    "numpy==2.0.2; python_version < '3.10'",
];
/// The NEST of the managed environment.
pub(super) const NEST_VERSION: &str = "3.10.0";
/// One of NEST's headers; they lie in its Python package.
const NEST_HEADER: &str = "nest_impl.h";
/// Written into an environment when it is complete.
const MARKER: &str = "couple.json";

/// An interpreter that has NEST.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Interpreter {
    /// The executable.
    pub python: PathBuf,
    /// NEST's version.
    pub version: String,
    /// The folder of NEST's headers.
    pub include: PathBuf,
    /// True when NEST was compiled with the C++ strings of GCC 5 and later.
    pub new_strings: bool,
}

/// Tells version, headers and string ABI of the NEST of the interpreter that runs it, as JSON. The ABI shows in the
/// name of an exported function that takes a string.
const PROBE: &str = r#"
import importlib.metadata, importlib.util, json, pathlib, sys
spec = importlib.util.find_spec("nest")
if spec is None or not spec.origin:
    sys.exit("no module named nest")
package = pathlib.Path(spec.origin).resolve().parent
try:
    version = importlib.metadata.version("nest-simulator")
except importlib.metadata.PackageNotFoundError:
    import contextlib, io
    with contextlib.redirect_stdout(io.StringIO()):
        import nest
    version = nest.__version__
found = [p / "include/nest" for p in [package, *package.parents] if (p / "include/nest/nest_impl.h").is_file()]
libraries = list(package.glob("nestkernel_api*.so"))
new_strings = any(b"ModuleManager7installERKNSt7__cxx11" in p.read_bytes() for p in libraries)
old_strings = any(b"ModuleManager7installERKSs" in p.read_bytes() for p in libraries)
print(json.dumps({"python": sys.executable, "version": version, "include": str(found[0]) if found else "",
                  "new_strings": new_strings or not old_strings}))
"#;

/// The managed environment, made when it is not there.
pub(super) fn managed(cache: &Cache, tools: &Tools, progress: Progress<'_>) -> Result<Interpreter, SetupError> {
    let (base, name) = base_python(tools)?;
    let folder = cache.path(&name);
    if let Some(interpreter) = complete(&folder) {
        return Ok(interpreter);
    }
    let _lock = cache.lock(progress)?;
    if let Some(interpreter) = complete(&folder) {
        return Ok(interpreter);
    }
    remove(&folder)?;
    make_environment(&folder, &base, tools, progress)?;
    let interpreter = probe(tools, &folder.join("bin/python"))?;
    let text = serde_json::to_string(&interpreter).map_err(|e| SetupError::new(e.to_string(), "report this"))?;
    let partial = folder.join(format!("{MARKER}.partial"));
    write(&partial, &text)?;
    fs::rename(&partial, folder.join(MARKER)).map_err(|e| SetupError::io("finish", &folder, &e))?;
    Ok(interpreter)
}

/// The managed environment, if it has been made.
pub(super) fn installed(cache: &Cache, tools: &Tools) -> Option<Interpreter> {
    let (_, name) = base_python(tools).ok()?;
    complete(&cache.path(&name))
}

/// The Python to make the environment with, and the environment's name.
fn base_python(tools: &Tools) -> Result<(PathBuf, String), SetupError> {
    let help = "install Python 3.9 or later (Debian, Ubuntu: apt install python3 python3-venv), \
                or give the component python = \"/path/to/python\" of one that has NEST";
    let found = tools.find("python3");
    let found = found.ok_or_else(|| SetupError::new("NEST needs Python, but there is no python3 along PATH", help))?;
    // The interpreter itself: a virtual environment or a shim that leads to it may change or go.
    let ask = "import os, sys; print('%d.%d' % sys.version_info[:2], \
               os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable))";
    let base = &found;
    let answer = tools.ask(base, &["-c", ask]).ok_or_else(|| {
        SetupError::new(
            format!("{} does not run", base.display()),
            "repair this Python, or put another one first in PATH",
        )
    })?;
    let (version, base) = match answer.split_once(' ') {
        Some((version, path)) if Path::new(path).is_file() => (version, PathBuf::from(path)),
        Some((version, _)) => (version, found),
        None => (answer.as_str(), found),
    };
    let parts: Vec<u32> = version.split('.').filter_map(|n| n.parse().ok()).collect();
    if parts < vec![3, 9] {
        let what = format!("{} is Python {version}, but NEST needs 3.9 or later", base.display());
        return Err(SetupError::new(what, "put a newer python3 first in PATH"));
    }
    let place = base.to_string_lossy();
    let name = hash(REQUIREMENTS.iter().copied().chain([place.as_ref()]));
    let name = format!("nest-{NEST_VERSION}-python{version}-{name}");
    Ok((base, name))
}

/// The environment's interpreter, if it is complete, and its base Python and its NEST still exist.
fn complete(folder: &Path) -> Option<Interpreter> {
    let interpreter: Interpreter = serde_json::from_slice(&fs::read(folder.join(MARKER)).ok()?).ok()?;
    let whole = interpreter.python.is_file() && interpreter.include.join(NEST_HEADER).is_file();
    whole.then_some(interpreter)
}

fn make_environment(folder: &Path, base: &Path, tools: &Tools, progress: Progress<'_>) -> Result<(), SetupError> {
    if tools.ask(base, &["-c", "import venv, ensurepip"]).is_none() {
        let what = format!("{} cannot make environments: it lacks the modules venv and ensurepip", base.display());
        let help = "install them (Debian, Ubuntu: apt install python3-venv), or give the component python = \"...\"";
        return Err(SetupError::new(what, help));
    }
    progress(&format!("making a Python environment in {}", folder.display()));
    let place = folder.as_os_str();
    tools.run(base, &["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), place], progress, |why| {
        let what = format!("no Python environment could be made in {}: {why}", folder.display());
        SetupError::new(what, "make room there; on Debian and Ubuntu, apt install python3-venv")
    })?;
    progress(&format!("installing NEST {NEST_VERSION} (35 MB; 300 MB when unpacked)"));
    let install = ["-m", "pip", "install", "--no-input", "--progress-bar", "off"];
    let arguments: Vec<&str> = install.into_iter().chain(REQUIREMENTS.iter().copied()).collect();
    tools.run(&folder.join("bin/python"), &arguments, progress, |why| {
        SetupError::new(format!("pip could not install NEST {NEST_VERSION}: {why}"), NETWORK)
    })
}

/// What to do when pip fails.
pub(super) const NETWORK: &str = "this needs the network once; behind a proxy or with a mirror, configure pip as usual \
                                  (pip config). Or give the component python = \"...\" of an environment with NEST";

/// Looks at the NEST of an interpreter.
pub(super) fn probe(tools: &Tools, python: &Path) -> Result<Interpreter, SetupError> {
    let help = "install it there (pip install nest-simulator==3.10.0), or leave out `python` to use the managed \
                environment";
    let answer = tools
        .ask(python, &["-c", PROBE])
        .ok_or_else(|| SetupError::new(format!("{} has no NEST", python.display()), help))?;
    let mut found: Interpreter = serde_json::from_str(&answer)
        .map_err(|e| SetupError::new(format!("{} gives a strange answer: {e}", python.display()), help))?;
    if found.version != "3.10" && !found.version.starts_with("3.10.") {
        let what = format!("{} has NEST {}, but couple needs 3.10", python.display(), found.version);
        return Err(SetupError::new(what, help));
    }
    if found.include.as_os_str().is_empty() {
        let what = format!("the NEST of {} has no header files", python.display());
        return Err(SetupError::new(what, help));
    }
    // As it was named: an environment's interpreter is a link, and what it finds depends on the name.
    found.python = python.to_path_buf();
    Ok(found)
}
