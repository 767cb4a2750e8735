//! What the tests of the C interface share.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The library that cargo built along with this test.
fn library() -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let found = [&deps, deps.parent().unwrap()].map(|folder| folder.join("libcouple_ffi.so"));
    found.into_iter().find(|path| path.exists()).expect("cargo builds libcouple_ffi.so before its tests")
}

/// Compiles a program of this folder against the header and the library.
pub fn compile(source: &str, compiler: &str, flags: &[&str], output: &Path) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = library();
    let done = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Werror", "-pedantic"])
        .args(flags)
        .arg("-I")
        .arg(here.join("include"))
        .arg(here.join("tests").join(source))
        .args(["-x", "none", "-o"])
        .arg(output)
        .arg(&library)
        .arg(format!("-Wl,-rpath,{}", library.parent().unwrap().display()))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Waits for a process; one that hangs is killed.
pub fn wait(mut child: Child) -> (Option<i32>, String) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
