//! The commands of the `couple` program.
//!
//! Exit codes: 0 done; 1 an internal fault; 2 the input is wrong; 3 a component failed; 4 no progress; 5 results differ;
//! 130 interrupted.

mod crosscheck;
mod doctor;
mod input;
mod list;
mod machine;
mod recorder;
mod run;
mod setup;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// An internal fault.
pub const FAULT: u8 = 1;
/// The input is wrong.
pub const WRONG_INPUT: u8 = 2;

/// Run one neural simulation on several simulators at once.
#[derive(Parser, Debug)]
#[command(name = "couple", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done; 1 internal fault; 2 wrong input; 3 a component failed; 4 no progress; \
                        5 results differ; 130 interrupted.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a configuration: check, plan, launch, supervise, record
    Run(run::RunArguments),
    /// Say what is wrong with a configuration, before anything starts
    Check(CheckArguments),
    /// Show windows, links, buffers and what limits them
    Plan(PlanArguments),
    /// Draw components, ports and projections
    Graph(GraphArguments),
    /// Run the same network on several simulators in turn, and show where they differ
    Crosscheck(crosscheck::CrosscheckArguments),
    /// Compare the spikes of two runs: equal, or the first difference
    Compare(PassedOn),
    /// Show what a run recorded
    Show(PassedOn),
    /// Plot the spikes of a run
    Plot(PassedOn),
    /// List the runs in a folder
    List(list::ListArguments),
    /// Prepare a managed environment with a simulator
    Setup(setup::SetupArguments),
    /// Say which simulators this machine has, and how to get the others
    Doctor(doctor::DoctorArguments),
}

/// A configuration, and values to set in it.
#[derive(Args, Debug)]
pub struct Configuration {
    /// The configuration
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Set a value of the configuration, as in `--set run.duration="2 s"` or `--set population.E.component=nest`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print objects for tools, one a line, instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct CheckArguments {
    #[command(flatten)]
    configuration: Configuration,
}

#[derive(Args, Debug)]
struct PlanArguments {
    #[command(flatten)]
    configuration: Configuration,
}

#[derive(Args, Debug)]
struct GraphArguments {
    #[command(flatten)]
    configuration: Configuration,
    /// What to draw for
    #[arg(long, value_enum, default_value_t = GraphFormat::Svg)]
    format: GraphFormat,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum GraphFormat {
    /// A picture
    Svg,
    /// Graphviz
    Dot,
    /// Mermaid, as Markdown pages show it
    Mermaid,
}

/// Arguments that another program reads.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
struct PassedOn {
    /// Arguments; `--help` tells more
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// A fault in any thread or task ends the program, and with it all processes of a run: none may hang on.
pub fn end_on_fault() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |fault| {
        let text = fault.payload_as_str().unwrap_or_default();
        match text.strip_prefix("failed printing to ") {
            // Whoever reads our output has read enough: no fault.
            Some(reason) if reason.contains("Broken pipe") => {
                std::process::exit(if reason.starts_with("stdout") { 0 } else { i32::from(FAULT) });
            }
            Some(reason) => {
                use std::io::Write as _;
                let _ = writeln!(std::io::stderr(), "error: cannot write to {reason}");
            }
            None => tell(fault),
        }
        std::process::exit(i32::from(FAULT));
    }));
}

/// Does what the arguments say.
pub fn main(arguments: &Arguments) -> ExitCode {
    let code = match &arguments.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Check(arguments) => input::check(&arguments.configuration),
        Command::Plan(arguments) => input::plan(&arguments.configuration),
        Command::Graph(arguments) => {
            input::graph(&arguments.configuration, arguments.format, arguments.output.as_deref())
        }
        Command::Crosscheck(arguments) => crosscheck::crosscheck(arguments),
        Command::Compare(arguments) => recorder::pass_on("compare", &arguments.arguments),
        Command::Show(arguments) => recorder::pass_on("show", &arguments.arguments),
        Command::Plot(arguments) => recorder::pass_on("plot", &arguments.arguments),
        Command::List(arguments) => list::list(arguments),
        Command::Setup(arguments) => setup::setup(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments),
    };
    ExitCode::from(code)
}

/// Tells what went wrong, on standard error.
fn complain(error: &impl std::fmt::Display) {
    eprintln!("error: {error}");
}
