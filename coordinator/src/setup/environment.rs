//! Python environments with a simulator in them: the managed one, and what a user's own interpreter has.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cache::{Cache, hash, remove, write};
use super::nest::{Command, ENV_LIBRARY};
use super::tools::Tools;
use super::{Progress, SetupError, sources};

/// Written into an environment when it is complete.
const MARKER: &str = "couple.json";

/// A simulator that is a Python package.
pub(super) struct Simulator {
    /// Its name in configurations, and of the environment.
    pub name: &'static str,
    /// As its users write it.
    pub title: &'static str,
    /// The name to import, and that of the package index.
    pub module: &'static str,
    pub package: &'static str,
    /// The version of the managed environment, and what versions of the user's begin with.
    pub version: &'static str,
    pub series: &'static str,
    /// What pip installs, each pinned.
    pub requirements: &'static [&'static str],
    /// The oldest Python.
    pub oldest: (u32, u32),
    /// How much comes over the network.
    pub download: &'static str,
}

/// An interpreter that has the simulator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interpreter {
    /// The executable.
    pub python: PathBuf,
    /// The simulator's version.
    pub version: String,
    /// The folder of the simulator's package.
    pub package: PathBuf,
    /// True for the managed environment, false for the user's own interpreter.
    pub managed: bool,
}

/// Tells version and place of a package, as JSON.
const PROBE: &str = r#"
import importlib.metadata, importlib.util, json, pathlib, sys
module, package = sys.argv[1:]
spec = importlib.util.find_spec(module)
if spec is None or not spec.origin:
    sys.exit("no module named " + module)
try:
    version = importlib.metadata.version(package)
except importlib.metadata.PackageNotFoundError:
    version = importlib.import_module(module).__version__
print(json.dumps({"python": sys.executable, "version": version, "package": str(pathlib.Path(spec.origin).parent),
                  "managed": False}))
"#;

impl Simulator {
    /// The interpreter to use: the user's own one, or the managed one, made when it is not there.
    pub fn ensure(
        &self,
        cache: &Cache,
        tools: &Tools,
        python: Option<&str>,
        progress: Progress<'_>,
    ) -> Result<Interpreter, SetupError> {
        let Some(name) = python else { return self.managed(cache, tools, progress) };
        let path = tools.find(name).ok_or_else(|| {
            let help = format!("give the path of an interpreter that has {}", self.title);
            SetupError::new(format!("there is no Python `{name}`"), help)
        })?;
        self.probe(&tools.as_user(), &path)
    }

    /// The managed environment, if it has been made.
    pub fn installed(&self, cache: &Cache, tools: &Tools) -> Option<Interpreter> {
        let (_, name) = self.base_python(tools).ok()?;
        complete(&cache.path(&name))
    }

    fn managed(&self, cache: &Cache, tools: &Tools, progress: Progress<'_>) -> Result<Interpreter, SetupError> {
        let (base, name) = self.base_python(tools)?;
        let folder = cache.path(&name);
        if let Some(interpreter) = complete(&folder) {
            return Ok(interpreter);
        }
        let _lock = cache.lock(progress)?;
        if let Some(interpreter) = complete(&folder) {
            return Ok(interpreter);
        }
        remove(&folder)?;
        self.make(&folder, &base, tools, progress)?;
        let interpreter = Interpreter { managed: true, ..self.probe(tools, &folder.join("bin/python"))? };
        let text = serde_json::to_string(&interpreter).map_err(|e| SetupError::new(e.to_string(), "report this"))?;
        let partial = folder.join(format!("{MARKER}.partial"));
        write(&partial, &text)?;
        fs::rename(&partial, folder.join(MARKER)).map_err(|e| SetupError::io("finish", &folder, &e))?;
        Ok(interpreter)
    }

    /// The Python to make the environment with, and the environment's name.
    fn base_python(&self, tools: &Tools) -> Result<(PathBuf, String), SetupError> {
        let Simulator { name, title, version, requirements, oldest, .. } = self;
        let help = format!(
            "install Python {}.{} or later (Debian, Ubuntu: apt install python3 python3-venv), or give the component \
             python = \"/path/to/python\" of one that has {title}",
            oldest.0, oldest.1
        );
        let found = tools.find("python3").ok_or_else(|| {
            SetupError::new(format!("{title} needs Python, but there is no python3 along PATH"), help.clone())
        })?;
        // The interpreter itself: a virtual environment or a shim that leads to it may change or go.
        let ask = "import os, sys; print('%d.%d' % sys.version_info[:2], \
                   os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable))";
        let answer = tools.ask(&found, &["-c", ask]).ok_or_else(|| {
            let help = "repair this Python, or put another one first in PATH";
            SetupError::new(format!("{} does not run", found.display()), help)
        })?;
        let (python, base) = match answer.split_once(' ') {
            Some((python, path)) if Path::new(path).is_file() => (python, PathBuf::from(path)),
            Some((python, _)) => (python, found),
            None => (answer.as_str(), found),
        };
        let parts: Vec<u32> = python.split('.').filter_map(|n| n.parse().ok()).collect();
        if parts < vec![oldest.0, oldest.1] {
            let what = format!("{} is Python {python}, which is too old for {title}", base.display());
            return Err(SetupError::new(what, help));
        }
        let place = base.to_string_lossy();
        let hash = hash(requirements.iter().copied().chain([place.as_ref()]));
        Ok((base, format!("{name}-{version}-python{python}-{hash}")))
    }

    fn make(&self, folder: &Path, base: &Path, tools: &Tools, progress: Progress<'_>) -> Result<(), SetupError> {
        if tools.ask(base, &["-c", "import venv, ensurepip"]).is_none() {
            let what = format!("{} cannot make environments: it lacks the modules venv and ensurepip", base.display());
            let help =
                "install them (Debian, Ubuntu: apt install python3-venv), or give the component python = \"...\"";
            return Err(SetupError::new(what, help));
        }
        progress(&format!("making a Python environment in {}", folder.display()));
        let place = folder.as_os_str();
        tools.run(base, &["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), place], progress, |why| {
            let what = format!("no Python environment could be made in {}: {why}", folder.display());
            SetupError::new(what, "make room there; on Debian and Ubuntu, apt install python3-venv")
        })?;
        progress(&format!("installing {} {} ({})", self.title, self.version, self.download));
        let install = ["-m", "pip", "install", "--no-input", "--progress-bar", "off"];
        let arguments: Vec<&str> = install.into_iter().chain(self.requirements.iter().copied()).collect();
        tools.run(&folder.join("bin/python"), &arguments, progress, |why| {
            let help = format!(
                "this needs the network once; behind a proxy or with a mirror, configure pip as usual (pip config). Or \
                 give the component python = \"...\" of an environment with {}",
                self.title
            );
            SetupError::new(format!("pip could not install {} {}: {why}", self.title, self.version), help)
        })
    }

    /// Looks at the simulator of an interpreter.
    fn probe(&self, tools: &Tools, python: &Path) -> Result<Interpreter, SetupError> {
        let Simulator { title, module, package, version, series, .. } = self;
        let help = format!(
            "install it there (pip install {package}=={version}), or leave out `python` to use the managed environment"
        );
        let answer = tools
            .ask(python, &["-c", PROBE, module, package])
            .ok_or_else(|| SetupError::new(format!("{} has no {title}", python.display()), help.clone()))?;
        let mut found: Interpreter = serde_json::from_str(&answer)
            .map_err(|e| SetupError::new(format!("{} gives a strange answer: {e}", python.display()), help.clone()))?;
        if found.version != *series && !found.version.starts_with(&format!("{series}.")) {
            let what = format!("{} has {title} {}, but couple needs {series}", python.display(), found.version);
            return Err(SetupError::new(what, help));
        }
        // As it was named: an environment's interpreter is a link, and what it finds depends on the name.
        found.python = python.to_path_buf();
        Ok(found)
    }
}

/// The environment's interpreter, if it is complete, and its base Python and its simulator still exist.
fn complete(folder: &Path) -> Option<Interpreter> {
    let interpreter: Interpreter = serde_json::from_slice(&fs::read(folder.join(MARKER)).ok()?).ok()?;
    (interpreter.python.is_file() && interpreter.package.is_dir()).then_some(interpreter)
}

/// The command of a rank that runs the module `module` of the Python package; `library` is the path of
/// [`super::nest::LIBRARY`], `more` are variables of its own.
pub(super) fn command(
    interpreter: &Interpreter,
    module: &str,
    library: &Path,
    more: Vec<(&str, OsString)>,
    progress: Progress<'_>,
) -> Result<Command, SetupError> {
    let mut path = sources::package(&Cache::open()?, progress)?.into_os_string();
    // The user's own modules may need it; the managed environment has all it needs, and keeps its own.
    if let Some(users) = std::env::var_os("PYTHONPATH").filter(|p| !interpreter.managed && !p.is_empty()) {
        path.push(":");
        path.push(users);
    }
    let own = [
        ("PYTHONPATH", path),
        // Nothing in the working directory takes the place of a module.
        ("PYTHONSAFEPATH", "1".into()),
        ("PYTHONUNBUFFERED", "1".into()),
        (ENV_LIBRARY, library.into()),
    ];
    Ok(Command {
        argv: vec![interpreter.python.clone().into(), "-m".into(), module.into()],
        env: own.into_iter().chain(more).map(|(name, value)| (name.into(), value)).collect(),
    })
}
