//! A muscle: spikes of motor neurons pull it together, and its stretch receptors fire while it is long.

use std::process::ExitCode;

fn main() -> ExitCode {
    couple_client::run(|session| {
        // Populations of the configuration, by name.
        let endplates = session.spike_input("endplates")?;
        let stretch = session.spike_output("stretch")?;
        let receptors = i64::from(session.width(stretch));
        let step = session.step();
        let mut pull = 0;
        while let Some(mut window) = session.next_window()? {
            // Windows are the planner's choice. What is computed goes by the component's own steps.
            let spikes = window.spikes(endplates)?;
            let mut spikes = spikes.iter().peekable();
            for now in window.times() {
                pull -= pull / 16;
                // A step is open on the left: a spike at its very end belongs to it.
                while spikes.next_if(|spike| spike.time <= now).is_some() {
                    pull += 1;
                }
                // One receptor at a time, the next one in the next step.
                let receptor = now.ns() / step.ns() % receptors;
                if pull < 8 * (receptor + 1) {
                    window.emit(stretch, receptor as u32, now)?;
                }
            }
        }
        Ok(())
    })
}
