//! From a configuration file to a checked network and its plan; `couple check`, `plan` and `graph`.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use super::{Configuration, FAULT, GraphFormat, WRONG_INPUT, complain, machine};
use crate::config::{self, Diagnostic, Loaded};
use crate::plan::{self, Graph, Plan, PlanOptions};
use crate::runtime;

/// A network that can be run.
pub struct Ready {
    /// What the configuration says.
    pub loaded: Loaded,
    /// How it will be run.
    pub plan: Plan,
}

/// Reads, checks and plans; what is wrong has been told when there is no result.
pub fn ready(configuration: &Configuration) -> Option<Ready> {
    let loaded = config::load(&configuration.file, &configuration.set);
    let ready = loaded.and_then(planned);
    let diagnostics = match &ready {
        Ok(ready) => &ready.loaded.warnings,
        Err(diagnostics) => diagnostics,
    };
    tell(diagnostics, configuration.json);
    ready.ok()
}

/// Plans what is in order, or says why it cannot be run.
pub fn planned(loaded: Loaded) -> Result<Ready, Vec<Diagnostic>> {
    let options = PlanOptions { window_override: loaded.options.window, cores: runtime::cores() };
    let refused = match plan::plan(&loaded.network, &options) {
        Ok(plan) => {
            let memory = machine::memory().unwrap_or(u64::MAX);
            match plan.check_memory(&loaded.network, &loaded.places, memory) {
                None => return Ok(Ready { loaded, plan }),
                Some(too_large) => too_large,
            }
        }
        Err(error) => error.diagnose(&loaded.network, &loaded.places),
    };
    Err(loaded.warnings.into_iter().chain([refused]).collect())
}

fn tell(diagnostics: &[Diagnostic], json: bool) {
    if diagnostics.is_empty() {
        return;
    }
    if json {
        diagnostics.iter().for_each(|diagnostic| println!("{}", diagnostic.to_json()));
    } else {
        eprint!("{}", config::render_all(diagnostics, colour()));
    }
}

/// Whether errors may be coloured: on a terminal that knows colours, unless the user does not want them.
fn colour() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && std::env::var_os("TERM").is_none_or(|term| term != "dumb") && std::io::stderr().is_terminal()
}

/// `couple check`.
pub fn check(configuration: &Configuration) -> u8 {
    let Some(Ready { loaded, .. }) = ready(configuration) else { return WRONG_INPUT };
    if !configuration.json {
        let network = &loaded.network;
        let neurons: u64 = network.populations.iter().map(|p| u64::from(p.size)).sum();
        println!(
            "{}: nothing is wrong ({} components, {} populations of {neurons} neurons, {} projections)",
            configuration.file.display(),
            network.components.len(),
            network.populations.len(),
            network.projections.len(),
        );
    }
    0
}

/// `couple plan`.
pub fn plan(configuration: &Configuration) -> u8 {
    let Some(Ready { plan, .. }) = ready(configuration) else { return WRONG_INPUT };
    if configuration.json {
        match serde_json::to_string(&plan) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                complain(&error);
                return FAULT;
            }
        }
    } else {
        print!("{}", plan.text());
    }
    0
}

/// `couple graph`.
pub fn graph(configuration: &Configuration, format: GraphFormat, output: Option<&Path>) -> u8 {
    let Some(Ready { loaded, .. }) = ready(configuration) else { return WRONG_INPUT };
    let graph = Graph::new(&loaded.network);
    let text = match format {
        GraphFormat::Svg => graph.svg(),
        GraphFormat::Dot => graph.dot(),
        GraphFormat::Mermaid => graph.mermaid(),
    };
    let written = match output {
        Some(path) => std::fs::write(path, text),
        None => std::io::stdout().write_all(text.as_bytes()),
    };
    match written {
        Ok(()) => 0,
        // Whoever reads it has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe && output.is_none() => 0,
        Err(error) => {
            complain(&format_args!("cannot write the graph: {error}"));
            FAULT
        }
    }
}
