//! A muscle: spikes of motor neurons pull it together, and its stretch receptors fire while it is long.

use std::error::Error;
use std::process::ExitCode;

use couple_ports::index::IndexSet;
use couple_ports::session::Setup;
use couple_ports::time::Span;

fn main() -> ExitCode {
    match take_part() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Goes to the log of this rank, the end of which `couple run` shows when the component fails.
            eprintln!("muscle: {error}");
            ExitCode::from(3)
        }
    }
}

fn take_part() -> Result<(), Box<dyn Error>> {
    // Setup: who are we, what comes in, what goes out?
    let setup = Setup::connect()?;
    let welcome = setup.welcome();
    let step = welcome.step;
    let Some(stretch) = welcome.outputs.iter().position(|output| output.population == "stretch") else {
        setup.fail("nobody wants the spikes of `stretch`; give it a projection, a connection or a record");
        return Err("no output `stretch`".into());
    };
    let receptors = i64::from(welcome.outputs[stretch].width);
    let needed = welcome.inputs.iter().map(|input| IndexSet::all(input.width)).collect();

    // From here on the others are ready, too.
    let mut run = setup.start(needed)?;
    let mut pull = 0;
    while let Some(window) = run.next_window()? {
        // Windows are the planner's choice. What is computed goes by the component's own steps.
        let mut arrived = vec![0; (window.end - window.start).steps(step) as usize];
        run.for_each_input(|_input, _index, time| {
            // A step is open on the left: a spike at its very end belongs to it.
            let number = (time - window.start - Span::from_ns(1)).steps(step);
            arrived[number as usize] += 1;
        })?;
        for (number, spikes) in (1..).zip(arrived) {
            let now = window.start + step * number;
            pull += spikes - pull / 16;
            // One receptor at a time, the next one in the next step.
            let receptor = now.ns() / step.ns() % receptors;
            if pull < 8 * (receptor + 1) {
                run.emit(stretch, receptor as u32, now);
            }
        }
    }
    run.finish()?;
    Ok(())
}
