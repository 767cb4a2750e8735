//! The program `couple-converter`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

#[test]
fn started_by_hand_it_says_how_it_is_started() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_couple-converter"));
    let output = command.env_clear().stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("couple-converter: ") && text.contains("couple run"), "{text}");
}
