//! Has the recordings of a run made from its journals, by the program that knows their format.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use super::interrupt::Interrupts;
use super::programs;

/// What is in the recordings of a run.
#[derive(Clone, Default, Debug)]
pub struct Recorded {
    /// Spikes of each recorded population.
    pub spikes: BTreeMap<String, u64>,
    /// What was noted on the way, such as a journal with a torn end.
    pub notes: Vec<String>,
}

/// Makes the recordings of the run in `folder`. Interrupted, it leaves the journals, from which they can be made later.
pub async fn recordings(folder: &Path, journals: &Path) -> io::Result<Recorded> {
    let any = std::fs::read_dir(journals).is_ok_and(|mut files| files.next().is_some());
    if !any {
        // Nothing was recorded: an empty folder would only raise the question.
        let _ = std::fs::remove_dir(journals);
        return Ok(Recorded::default());
    }
    let recorder = programs::find(programs::RECORDER).map_err(io::Error::other)?;
    let mut command = tokio::process::Command::new(recorder);
    command.arg("finish").arg(folder).arg("--json");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    let mut interrupts = Interrupts::catch()?;
    tokio::select! {
        output = command.output() => {
            let output = output?;
            if output.status.success() {
                return Ok(recorded(&output.stdout));
            }
            Err(io::Error::other(reason(&output)))
        }
        () = interrupts.next() => Err(io::Error::other(
            "interrupted; `couple show` makes them from the journals that are there",
        )),
    }
}

fn recorded(told: &[u8]) -> Recorded {
    let told: Value = serde_json::from_slice(told).unwrap_or_default();
    let list = |field: &str| told[field].as_array().cloned().unwrap_or_default();
    let spikes = |p: &Value| Some((p["name"].as_str()?.to_string(), p["spikes"].as_u64()?));
    Recorded {
        spikes: list("populations").iter().filter_map(spikes).collect(),
        notes: list("notes").iter().filter_map(|note| Some(note.as_str()?.to_string())).collect(),
    }
}

fn reason(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    // An object in the last line, and before it what libraries print.
    let object = told.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    match object.as_ref().and_then(|object| object["error"].as_str()) {
        Some(error) => error.to_string(),
        None if told.trim().is_empty() => output.status.to_string(),
        None => told.trim().to_string(),
    }
}
