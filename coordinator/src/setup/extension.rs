//! The NEST extension: compiled once for each NEST, compiler and version of `couple`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::cache::{Cache, hash, write};
use super::python::Interpreter;
use super::sources::{EXTENSION, HEADER};
use super::tools::Tools;
use super::{Progress, SetupError, boost};

const FLAGS: &[&str] =
    &["-std=c++20", "-O3", "-DNDEBUG", "-fPIC", "-shared", "-fopenmp", "-DLTX_MODULE", "-fvisibility-inlines-hidden"];
/// The first GCC with `std::barrier`.
const OLDEST_GCC: u32 = 11;

/// The compiled extension for an interpreter's NEST.
pub(super) fn module(
    cache: &Cache,
    tools: &Tools,
    interpreter: &Interpreter,
    progress: Progress<'_>,
) -> Result<PathBuf, SetupError> {
    let (compiler, version) = compiler(tools, "the NEST extension")?;
    let config = std::fs::read_to_string(interpreter.include.join("config.h")).unwrap_or_default();
    let strings = format!("-D_GLIBCXX_USE_CXX11_ABI={}", u8::from(interpreter.new_strings));
    let include = interpreter.include.to_string_lossy();
    let kept = [&version, interpreter.version.as_str(), &include, &config, &strings];
    let sources = EXTENSION.iter().chain([&HEADER]).flat_map(|(name, text)| [*name, *text]);
    let name = format!("nest-module-{}", hash(kept.into_iter().chain(FLAGS.iter().copied()).chain(sources)));
    let module = "couplemod.so";
    let whole = |folder: &Path| std::fs::metadata(folder.join(module)).is_ok_and(|file| file.len() > 0);
    if whole(&cache.path(&name)) {
        return Ok(cache.path(&name).join(module));
    }
    let boost = boost::include(cache, tools, &interpreter.python, progress)?;
    let folder = cache.folder(&name, whole, progress, |partial| {
        progress(&format!("compiling the NEST extension with {version}"));
        for (name, text) in EXTENSION.iter().chain([&HEADER]) {
            write(&partial.join(name), text)?;
        }
        let mut arguments: Vec<OsString> = FLAGS.iter().map(OsString::from).collect();
        arguments.push(strings.clone().into());
        for folder in [Some(partial.to_path_buf()), Some(interpreter.include.clone()), boost].into_iter().flatten() {
            arguments.extend(["-I".into(), folder.into()]);
        }
        arguments.extend([partial.join("couplemod.cpp").into(), "-o".into(), partial.join(module).into()]);
        tools.run(&compiler, &arguments, progress, |why| {
            let help = format!("GCC {OLDEST_GCC} or later is needed; choose another compiler with CXX=/path/to/g++");
            SetupError::new(format!("the NEST extension could not be compiled: {why}"), help)
        })
    })?;
    Ok(folder.join(module))
}

/// The C++ compiler, and what it says of itself.
pub(super) fn compiler(tools: &Tools, what: &str) -> Result<(PathBuf, String), SetupError> {
    let install = "install one (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++), or set CXX to its path";
    let chosen = std::env::var("CXX").ok().filter(|name| !name.is_empty());
    let names = match &chosen {
        Some(name) => vec![name.as_str()],
        None => vec!["g++", "c++", "clang++"],
    };
    let Some(path) = names.iter().find_map(|name| tools.find(name)) else {
        let what = format!("{what} needs a C++ compiler, but there is no {}", names.join(", "));
        return Err(SetupError::new(what, install));
    };
    let Some(version) = tools.ask(&path, &["--version"]) else {
        return Err(SetupError::new(format!("the C++ compiler {} does not run", path.display()), install));
    };
    let version = version.lines().next().unwrap_or_default().to_string();
    let major = tools.ask(&path, &["-dumpversion"]).and_then(|v| v.split('.').next()?.parse::<u32>().ok());
    if !version.contains("clang") && major.is_some_and(|major| major < OLDEST_GCC) {
        let what = format!("{} is {version}, but {what} needs GCC {OLDEST_GCC} or later", path.display());
        return Err(SetupError::new(what, "install a newer g++ and set CXX to its path"));
    }
    Ok((path, version))
}
