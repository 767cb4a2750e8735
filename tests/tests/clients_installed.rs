//! Clients as users install them: headers by pkg-config and CMake, a script in an environment of its own, the wheel.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use couple_tests::programs::text;
use couple_tests::{program, workspace};
use tempfile::TempDir;

/// The example, in a folder of the test. `None` where there is no Python to make environments with.
struct Example {
    folder: TempDir,
    python: PathBuf,
}

impl Example {
    fn new() -> Option<Example> {
        let python = std::env::var_os("COUPLE_TEST_PYTHON").filter(|python| !python.is_empty());
        let Some(python) = python.map(PathBuf::from) else {
            eprintln!("skipped: COUPLE_TEST_PYTHON names no Python interpreter with NumPy");
            return None;
        };
        let folder = TempDir::new().unwrap();
        for name in ["config.toml", "muscle.py", "muscle.c", "muscle.cpp"] {
            std::fs::copy(workspace().join("examples/component").join(name), folder.path().join(name)).unwrap();
        }
        Some(Example { folder, python })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a program in the folder; it must succeed.
    fn run<S: AsRef<std::ffi::OsStr>>(&self, program: impl AsRef<Path>, arguments: &[S]) -> String {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(self.folder.path());
        // As in a shell of the user's.
        command.env_remove("PYTHONPATH").env_remove("COUPLE_FFI_LIB");
        let output = command.output().unwrap_or_else(|e| panic!("{}: {e}", program.as_ref().display()));
        assert!(output.status.success(), "{}: {}", program.as_ref().display(), text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A run of the example with these lines instead of its `script`; gives the muscle's log.
    fn simulate(&self, couple: &Path, label: &str, lines: &str) -> String {
        let config = std::fs::read_to_string(self.path("config.toml")).unwrap();
        let own = config.lines().map(|line| if line.starts_with("script ") { lines } else { line });
        std::fs::write(self.path("own.toml"), own.collect::<Vec<_>>().join("\n")).unwrap();
        self.run(couple, &["run", "--quiet", "--label", label, "own.toml"]);
        std::fs::read_to_string(self.path("runs").join(label).join("logs/muscle.0.log")).unwrap()
    }

    /// The same with the Python of the tests, to compare with.
    fn simulate_in_python(&self) {
        self.simulate(&program("couple"), "python", &format!("script = \"muscle.py\"\npython = {:?}", self.python));
    }

    fn assert_same_as_python(&self, label: &str) {
        self.run(program("couple"), &["compare", "runs/python", &format!("runs/{label}")]);
    }

    /// A fresh environment with packages; gives its folder of programs.
    fn environment(&self, name: &str, packages: &[&str]) -> PathBuf {
        self.run(&self.python, &["-m", "venv", name]);
        let install = ["install", "--quiet", "--disable-pip-version-check"];
        self.run(self.path(name).join("bin/pip"), &[&install, packages].concat());
        self.path(name).join("bin")
    }
}

/// The folder with headers and library is moved after it was made: nothing in it may know its place.
fn installed_client(example: &Example) -> PathBuf {
    let said = example.run(program("couple"), &["setup", "client", "--prefix", "made here"]);
    assert!(said.contains("made here"), "{said}");
    std::fs::rename(example.path("made here"), example.path("prefix")).unwrap();
    example.path("prefix")
}

#[test]
fn programs_in_c_and_cpp_build_with_pkg_config() {
    let Some(example) = Example::new() else { return };
    let prefix = installed_client(&example);
    if Command::new("pkg-config").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no pkg-config");
    }
    example.simulate_in_python();
    for (compiler, source) in [("cc -std=c99", "muscle.c"), ("c++ -std=c++11", "muscle.cpp")] {
        let name = source.replace('.', "-");
        let build = format!(
            "export PKG_CONFIG_PATH='{}/lib/pkgconfig'; pkg-config --exact-version={} couple; \
             {compiler} -Wall -Wextra -Werror -pedantic {source} -o {name} $(pkg-config --cflags --libs couple)",
            prefix.display(),
            env!("CARGO_PKG_VERSION")
        );
        example.run("sh", &["-e", "-c", &build]);
        example.simulate(&program("couple"), &name, &format!("command = [\"./{name}\"]"));
        example.assert_same_as_python(&name);
    }
}

#[test]
fn programs_in_c_and_cpp_build_with_cmake() {
    let Some(example) = Example::new() else { return };
    let prefix = installed_client(&example);
    let lists = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(muscle C CXX)\nfind_package(couple {} REQUIRED)\n\
         add_executable(muscle-c muscle.c)\nadd_executable(muscle-cpp muscle.cpp)\n\
         target_link_libraries(muscle-c couple::couple)\ntarget_link_libraries(muscle-cpp couple::couple)\n",
        env!("CARGO_PKG_VERSION")
    );
    std::fs::write(example.path("CMakeLists.txt"), lists).unwrap();
    let cmake = example.environment("tools", &["cmake", "ninja"]).join("cmake");
    let ninja = format!("-DCMAKE_MAKE_PROGRAM={}", cmake.with_file_name("ninja").display());
    let place = format!("-DCMAKE_PREFIX_PATH={}", prefix.display());
    example.run(&cmake, &["-S", ".", "-B", "build", "-G", "Ninja", &ninja, &place]);
    example.run(&cmake, &["--build", "build"]);
    example.simulate_in_python();
    for name in ["muscle-c", "muscle-cpp"] {
        example.simulate(&program("couple"), name, &format!("command = [\"build/{name}\"]"));
        example.assert_same_as_python(name);
    }
}

#[test]
fn a_script_runs_unchanged_in_an_environment_of_its_own() {
    let Some(example) = Example::new() else { return };
    example.simulate_in_python();
    example.environment("own", &["numpy==2.0.2"]);
    let script = std::fs::read_to_string(example.path("muscle.py")).unwrap();
    let tells = "import sys\nprint(sys.prefix, numpy.__version__, couple.__file__)\n";
    std::fs::write(example.path("tells.py"), script + tells).unwrap();
    let log = example.simulate(&program("couple"), "own", "script = \"tells.py\"\npython = \"own/bin/python\"");
    // Found from the folder of the configuration; with its own packages, and couple though it is not installed there.
    let prefix = example.path("own").canonicalize().unwrap();
    assert!(log.contains(&format!("{} 2.0.2 ", prefix.display())), "{log}");
    example.assert_same_as_python("own");
}

#[test]
fn an_environment_without_numpy_is_told() {
    let Some(example) = Example::new() else { return };
    example.run(&example.python, &["-m", "venv", "--without-pip", "bare"]);
    std::fs::write(example.path("bare.py"), "import couple\ncouple.connect()\n").unwrap();
    let sets = ["component.muscle.script=bare.py", "component.muscle.python=bare/bin/python"];
    let mut couple = Command::new(program("couple"));
    couple.args(["run", "--quiet", "--set", sets[0], "--set", sets[1], "config.toml"]);
    let output = couple.current_dir(example.folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    for part in ["component `muscle`", "couple needs NumPy", "bare/bin/python does not have", "pip install numpy"] {
        assert!(text(&output).contains(part), "`{part}` is not in\n{}", text(&output));
    }
}

#[test]
fn the_package_is_typed() {
    let Some(example) = Example::new() else { return };
    let mypy = example.environment("tools", &["mypy==2.4.1", "numpy==2.2.6"]).join("mypy");
    let script = "import couple\n\nwith couple.connect() as session:\n    \
                  spikes = session.input('endplates', couple.SpikeInput)\n    \
                  for window in session:\n        \
                  times, neurons = spikes.read()\n        \
                  reveal_type((window.steps, times, neurons))\n        \
                  spikes.emit(1, 2)\n";
    std::fs::write(example.path("typed.py"), script).unwrap();
    let check = |arguments: &[&str], folder: &Path| {
        let mut command = Command::new(&mypy);
        command.args(["--strict", "--cache-dir", "/dev/null"]).args(arguments).current_dir(folder);
        command.env("MYPYPATH", workspace().join("adapters/python")).output().unwrap()
    };
    let package = check(&[], &workspace().join("adapters/python"));
    assert!(package.status.success(), "{}", text(&package));
    let said = text(&check(&["--follow-imports", "silent", "typed.py"], example.folder.path()));
    for part in ["tuple[int, ", "_64Bit", "unsignedinteger", "\"SpikeInput\" has no attribute \"emit\""] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    assert!(said.contains("Found 1 error"), "{said}");
}

#[test]
fn the_wheel_holds_all_that_a_run_needs() {
    let Some(example) = Example::new() else { return };
    example.simulate_in_python();
    let tools = example.environment("tools", &["pip"]);
    let sources = workspace().join("adapters/python");
    let wheel = ["wheel", "--quiet", "--no-deps", "--config-settings", "profile=dev", "--wheel-dir", "wheels"];
    example.run(tools.join("pip"), &[&wheel[..], &[sources.to_str().unwrap()]].concat());
    let wheels: Vec<_> =
        std::fs::read_dir(example.path("wheels")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(wheels.len(), 1, "{wheels:?}");
    let user = example.environment("user", &[wheels[0].to_str().unwrap()]);
    let version = example.run(user.join("couple"), &["--version"]);
    assert_eq!(version.trim(), format!("couple {}", env!("CARGO_PKG_VERSION")));
    for started in ["couple-native", "couple-converter", "couple-recorder", "libcouple_ffi.so"] {
        assert!(user.join(started).is_file(), "{started}");
    }
    // The package can be imported, for editors and type checkers; what starts it is `couple run`.
    let alone = "import couple, importlib.resources as r; print((r.files(couple) / 'py.typed').is_file())\n\
                 try: couple.connect()\nexcept couple.CoupleError as error: print(error)";
    let said = example.run(user.join("python"), &["-c", alone]);
    assert!(said.starts_with("True\n") && said.contains("this program is started by `couple run`"), "{said}");
    // Its own programs are used, not those of this workspace.
    let tells = std::fs::read_to_string(example.path("muscle.py")).unwrap()
        + "import os\nprint(os.environ['COUPLE_FFI_LIB'])\n";
    std::fs::write(example.path("tells.py"), tells).unwrap();
    let lines = "script = \"tells.py\"\npython = \"user/bin/python\"";
    let log = example.simulate(&user.join("couple"), "wheel", lines);
    assert!(log.contains(&user.join("libcouple_ffi.so").display().to_string()), "{log}");
    example.run(user.join("couple"), &["compare", "python", "wheel"]);
    // What C and C++ need comes from it, too.
    example.run(user.join("couple"), &["setup", "client", "--prefix", "user"]);
    assert!(example.path("user/lib/pkgconfig/couple.pc").is_file());
}
