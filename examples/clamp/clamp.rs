//! A dynamic clamp: gives each cell the current of an artificial conductance, g (E - v).

use std::process::ExitCode;

const REVERSAL: f64 = -75.0; // mV

fn main() -> ExitCode {
    couple_client::run(|session| {
        // Variables of the configuration, by name.
        let potential = session.signal_input("electrodes.potential")?;
        let conductance = session.message_input("electrodes.conductance")?;
        let current = session.signal_output("electrodes.current")?;
        let mut g = 0.0; // uS
        while let Some(mut window) = session.next_window()? {
            let told = window.messages(conductance)?.to_vec();
            let mut told = told.iter().peekable();
            // A row for the window's start, then one for the end of each step; a column for each electrode.
            let mut block = window.signal(potential)?.to_owned();
            for (now, mut row) in window.times().zip(block.rows_mut().into_iter().skip(1)) {
                while let Some(message) = told.next_if(|message| message.time <= now) {
                    g = std::str::from_utf8(&message.bytes)?.parse()?;
                }
                row.mapv_inplace(|v| g * (REVERSAL - v)); // nA
            }
            window.write(current, block.slice(ndarray::s![1.., ..]))?;
        }
        Ok(())
    })
}
