//! Has the recordings of a run made from its journals, by the program that knows their format.

use std::io;
use std::path::Path;
use std::process::Stdio;

use super::interrupt::Interrupts;
use super::programs;

/// Makes the recordings of the run in `folder`. Interrupted, it leaves the journals, from which they can be made later.
pub async fn recordings(folder: &Path, journals: &Path) -> io::Result<()> {
    let any = std::fs::read_dir(journals).is_ok_and(|mut files| files.next().is_some());
    if !any {
        // Nothing was recorded: an empty folder would only raise the question.
        let _ = std::fs::remove_dir(journals);
        return Ok(());
    }
    let recorder = programs::find(programs::RECORDER).map_err(io::Error::other)?;
    let mut command = tokio::process::Command::new(recorder);
    command.arg("finish").arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    let mut interrupts = Interrupts::catch()?;
    tokio::select! {
        output = command.output() => {
            let output = output?;
            let told = String::from_utf8_lossy(&output.stderr).trim().to_string();
            if output.status.success() {
                // What it noted on the way, such as a journal with a torn end.
                told.lines().for_each(|note| eprintln!("{note}"));
                return Ok(());
            }
            let reason = if told.is_empty() { output.status.to_string() } else { told };
            Err(io::Error::other(reason))
        }
        () = interrupts.next() => Err(io::Error::other(
            "interrupted; `couple show` makes them from the journals that are there",
        )),
    }
}
