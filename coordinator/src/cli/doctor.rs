//! `couple doctor` and `couple setup`: which simulators are there, and how to get the others.

use clap::Args;

use crate::runtime::{self, programs};

/// Arguments of `couple doctor`.
#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// Print an object for tools
    #[arg(long)]
    json: bool,
}

/// Arguments of `couple setup`.
#[derive(Args, Debug)]
pub struct SetupArguments {
    /// Simulators to prepare
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

/// One thing that a run may need.
struct Finding {
    name: &'static str,
    found: Result<String, String>,
}

/// Looks for everything a run may need.
pub fn doctor(arguments: &DoctorArguments) -> u8 {
    let program = |name: &'static str, program| Finding {
        name,
        found: programs::find(program).map(|path| path.display().to_string()).map_err(|missing| missing.to_string()),
    };
    let findings = [program("native", programs::NATIVE), program("recorder", programs::RECORDER), nest()];
    if arguments.json {
        for Finding { name, found } in &findings {
            let (found, text) = (found.is_ok(), found.as_ref().unwrap_or_else(|missing| missing));
            println!("{}", serde_json::json!({ "name": name, "found": found, "text": text }));
        }
        return 0;
    }
    println!("{:10}  {} cores", "machine", runtime::cores());
    for Finding { name, found } in &findings {
        match found {
            Ok(place) => println!("{name:10}  found: {place}"),
            Err(missing) => println!("{name:10}  missing: {missing}"),
        }
    }
    0
}

fn nest() -> Finding {
    Finding { name: "nest", found: Err("not part of this build".to_string()) }
}

/// Prepares simulators.
pub fn setup(arguments: &SetupArguments) -> u8 {
    for name in &arguments.names {
        super::complain(&format_args!("`{name}` cannot be set up by this build"));
    }
    super::WRONG_INPUT
}
