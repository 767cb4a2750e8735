//! `couple list`: the runs in a folder, by their records.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::{WRONG_INPUT, complain};

/// Arguments of `couple list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// Folder of the runs
    #[arg(value_name = "DIR", default_value = "runs")]
    folder: PathBuf,
    /// Print the records themselves, one a line
    #[arg(long)]
    json: bool,
}

/// Lists runs, the oldest first.
pub fn list(arguments: &ListArguments) -> u8 {
    let entries = match std::fs::read_dir(&arguments.folder) {
        Ok(entries) => entries,
        Err(error) => {
            let folder = arguments.folder.display();
            complain(&format_args!(
                "no runs in {folder}: {error}\n  help: give the folder that `couple run --out` got"
            ));
            return WRONG_INPUT;
        }
    };
    let read = |folder: PathBuf| -> Option<Value> {
        serde_json::from_slice(&std::fs::read(folder.join("record.json")).ok()?).ok()
    };
    let mut records: Vec<Value> = entries.flatten().filter_map(|entry| read(entry.path())).collect();
    records.sort_by_key(|record| (text(record, "started"), text(record, "label")));
    if arguments.json {
        records.iter().for_each(|record| println!("{record}"));
        return 0;
    }
    let width = records.iter().map(|r| text(r, "label").chars().count()).max().unwrap_or(0).max(5);
    if !records.is_empty() {
        println!("{:width$}  {:<20}  {:<11}  {:>14}  reason", "label", "started", "outcome", "simulated");
    }
    for record in &records {
        let outcome = match record["outcome"]["status"].as_str() {
            Some("running") if !here(record) => "running?",
            Some("running") if !goes_on(record) => "killed",
            other => other.unwrap_or("?"),
        };
        let simulated = format!("{} ms", record["simulated_ms"]);
        let started = text(record, "started").get(..19).unwrap_or_default().replace('T', " ");
        let (label, reason) = (text(record, "label"), text(record, "reason"));
        println!("{}", format!("{label:width$}  {started:<20}  {outcome:<11}  {simulated:>14}  {reason}").trim_end());
    }
    0
}

/// Whether a run is of this machine; of others nobody here can tell whether it still goes on.
fn here(record: &Value) -> bool {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    record["host"]["name"].as_str().is_none_or(|host| host == name.trim())
}

/// Whether the coordinator of a run is still there.
fn goes_on(record: &Value) -> bool {
    let program = &record["program"];
    let executable = std::fs::read_link(format!("/proc/{}/exe", program["pid"]));
    executable.is_ok_and(|path| program["executable"].as_str().is_some_and(|was| path.starts_with(was)))
}

fn text(record: &Value, field: &str) -> String {
    record[field].as_str().unwrap_or_default().to_string()
}
