//! NEURON: a Python with NEURON 9, and a library of the standard cells' mechanisms and of the exchange.
//!
//! NEURON's own `nocmodl` translates the mechanisms into C++; what `nrnivmodl` needs besides (make, perl, a shared
//! library of Python) is not needed here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::cache::{Cache, hash, write};
use super::environment::{self, Interpreter, Simulator};
use super::nest::Command;
use super::sources::{HEADER, MECHANISMS};
use super::tools::Tools;
use super::{Progress, SetupError, extension};

const NEURON: Simulator = Simulator {
    name: "neuron",
    title: "NEURON",
    module: "neuron",
    package: "neuron",
    version: "9.0.2",
    series: "9",
    requirements: &[
        "neuron==9.0.2",
        // For nrnivmodl, which a user's own mechanisms want.
        "setuptools<82",
        "numpy==2.4.6; python_version >= '3.11'",
        "numpy==2.2.6; python_version < '3.11'",
    ],
    oldest: (3, 10),
    download: "40 MB; 250 MB when unpacked",
};

/// No option that would let the compiler change the order of operations: results are compared bit for bit.
const FLAGS: &[&str] = &["-std=c++17", "-O2", "-fPIC", "-shared"];
const MODULE: &str = "libcouple_neuron.so";

/// Makes NEURON ready, and says where it is. `python` is the component's own interpreter; without it the managed
/// environment is used, and made when it is not there. Quick when nothing is missing.
pub fn ensure(python: Option<&str>, progress: Progress<'_>) -> Result<Interpreter, SetupError> {
    Ok(ensure_in(&Cache::open()?, &Tools::from_environment(), python, progress)?.0)
}

/// The interpreter, and the compiled library.
pub(super) fn ensure_in(
    cache: &Cache,
    tools: &Tools,
    python: Option<&str>,
    progress: Progress<'_>,
) -> Result<(Interpreter, PathBuf), SetupError> {
    let interpreter = NEURON.ensure(cache, tools, python, progress)?;
    let module = module(cache, tools, &interpreter, progress)?;
    Ok((interpreter, module))
}

/// The interpreter of the managed environment, if that has been made; makes nothing.
pub fn installed() -> Option<PathBuf> {
    Some(NEURON.installed(&Cache::open().ok()?, &Tools::from_environment())?.python)
}

/// The command of each rank of a NEURON component; `library` is the path of [`super::nest::LIBRARY`].
pub fn command(interpreter: &Interpreter, library: &Path, progress: Progress<'_>) -> Result<Command, SetupError> {
    let module = module(&Cache::open()?, &Tools::from_environment(), interpreter, progress)?;
    // Without windows on a screen.
    let variables = vec![("COUPLE_NEURON_MODULE", module.into()), ("NEURON_MODULE_OPTIONS", "-nogui".into())];
    environment::command(interpreter, "couple.neuron", library, variables, progress)
}

/// The compiled library for an interpreter's NEURON.
fn module(
    cache: &Cache,
    tools: &Tools,
    interpreter: &Interpreter,
    progress: Progress<'_>,
) -> Result<PathBuf, SetupError> {
    let (compiler, version) = extension::compiler(tools, "NEURON")?;
    let data = interpreter.package.join(".data");
    let place = data.to_string_lossy();
    let sources = MECHANISMS.iter().chain([&HEADER]).flat_map(|(name, text)| [*name, *text]);
    let kept = [version.as_str(), &interpreter.version, &place].into_iter().chain(FLAGS.iter().copied());
    let name = format!("neuron-module-{}", hash(kept.chain(sources)));
    let whole = |folder: &Path| std::fs::metadata(folder.join(MODULE)).is_ok_and(|file| file.len() > 0);
    let folder = cache.folder(&name, whole, progress, |partial| {
        progress(&format!("compiling the mechanisms of NEURON's cells with {version}"));
        for (name, text) in MECHANISMS.iter().chain([&HEADER]) {
            write(&partial.join(name), text)?;
        }
        let mut files = vec![partial.join("exchange.cpp"), translate(tools, &data, partial, progress)?];
        files.extend(names().map(|name| partial.join(format!("{name}.cpp"))));
        let mut arguments: Vec<OsString> = FLAGS.iter().map(OsString::from).collect();
        for folder in [partial.to_path_buf(), data.join("include")] {
            arguments.extend(["-I".into(), folder.into()]);
        }
        arguments.extend(files.into_iter().map(OsString::from));
        arguments.extend(["-o".into(), partial.join(MODULE).into()]);
        tools.run(&compiler, &arguments, progress, |why| {
            let help = "GCC 11 or later is needed; choose another compiler with CXX=/path/to/g++";
            SetupError::new(format!("the mechanisms of NEURON's cells could not be compiled: {why}"), help)
        })
    })?;
    Ok(folder.join(MODULE))
}

/// The mechanisms' names.
fn names() -> impl Iterator<Item = &'static str> {
    MECHANISMS.iter().filter_map(|(name, _)| name.strip_suffix(".mod"))
}

/// Makes C++ of the mechanisms in `folder`; returns the file that registers them all with NEURON.
fn translate(tools: &Tools, data: &Path, folder: &Path, progress: Progress<'_>) -> Result<PathBuf, SetupError> {
    let nocmodl = data.join("bin/nocmodl");
    // It reads the units of variables from a file that it finds by this variable alone.
    let units = format!("MODLUNIT={}", data.join("share/nrn/lib/nrnunits.lib").display());
    let quiet = |line: &str| {
        if line.contains("rror") {
            progress(line);
        }
    };
    for name in names() {
        let file = folder.join(format!("{name}.mod"));
        let arguments: [OsString; 5] =
            [units.clone().into(), nocmodl.clone().into(), "-o".into(), folder.into(), file.into()];
        tools.run(Path::new("/usr/bin/env"), &arguments, &quiet, |why| {
            let help = "this NEURON may be damaged; leave out `python` to use the managed environment";
            SetupError::new(format!("NEURON's nocmodl could not translate {name}.mod: {why}"), help)
        })?;
    }
    let mut text = String::new();
    let mut calls = String::new();
    for name in names() {
        text.push_str(&format!("extern \"C\" void _{name}_reg(void);\n"));
        calls.push_str(&format!(" _{name}_reg();"));
    }
    text.push_str(&format!("extern \"C\" void modl_reg(void) {{{calls} }}\n"));
    let path = folder.join("register.cpp");
    write(&path, &text)?;
    Ok(path)
}
