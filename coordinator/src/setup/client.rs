//! What a program in C or C++ is built with: headers, library, and the files that pkg-config and CMake look for.
//!
//! ```text
//! <prefix>/include/couple.h, couple.hpp
//! <prefix>/lib/libcouple_ffi.so
//! <prefix>/lib/pkgconfig/couple.pc
//! <prefix>/lib/cmake/couple/couple-config.cmake, couple-config-version.cmake
//! ```

use std::fs;
use std::path::Path;

use super::SetupError;
use super::cache::write;
use super::nest::LIBRARY;
use super::sources::HEADER;

/// Files by their path in the prefix; `@VERSION@` is the version.
const FILES: &[(&str, &str)] = &[
    ("include/couple.h", HEADER.1),
    ("include/couple.hpp", include_str!("../../../ports/ffi/include/couple.hpp")),
    ("lib/pkgconfig/couple.pc", include_str!("../../../ports/ffi/pkgconfig/couple.pc")),
    ("lib/cmake/couple/couple-config.cmake", include_str!("../../../ports/ffi/cmake/couple-config.cmake")),
    (
        "lib/cmake/couple/couple-config-version.cmake",
        include_str!("../../../ports/ffi/cmake/couple-config-version.cmake"),
    ),
];

/// Writes all of it below `prefix`; `library` is the path of [`LIBRARY`].
pub fn install(prefix: &Path, library: &Path) -> Result<(), SetupError> {
    for (name, text) in FILES {
        write(&prefix.join(name), &text.replace("@VERSION@", env!("CARGO_PKG_VERSION")))?;
    }
    let copy = prefix.join("lib").join(LIBRARY);
    let failed = |error: std::io::Error| SetupError {
        what: format!("cannot copy {} to {}: {error}", library.display(), copy.display()),
        help: "make room or give rights there, or choose another folder with --prefix".to_string(),
    };
    // Under another name first: a program that runs with the old one keeps it.
    let partial = copy.with_extension("so.partial");
    fs::copy(library, &partial).and_then(|_| fs::rename(&partial, &copy)).map_err(failed)
}
