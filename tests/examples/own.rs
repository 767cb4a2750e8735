//! Sends back what it gets, or does something wrong, as its argument says. For `tests/clients.rs`.

use std::error::Error;
use std::process::ExitCode;

use couple_client::ndarray::{Array2, s};
use couple_client::{Session, Time};

fn main() -> ExitCode {
    let does = std::env::args().nth(1).unwrap_or_default();
    couple_client::run(|session| take_part(session, &does))
}

fn take_part(session: &mut Session, does: &str) -> Result<(), Box<dyn Error>> {
    let ear = session.spike_input("ear")?;
    let mouth = session.spike_output(if does == "name" { "mouht" } else { "mouth" })?;
    let pull = session.signal_input("ear.pull")?;
    let angle = session.signal_output("mouth.angle")?;
    let order = session.message_input("ear.order")?;
    let answer = session.message_output("mouth.answer")?;
    assert_eq!(session.signal(angle), ("rad", 3, 0..3));
    while let Some(mut window) = session.next_window()? {
        let (start, end) = (window.start(), window.end());
        let late = |what| end > Time::from_ns(20_000_000) && does == what;
        for spike in window.spikes(ear)?.iter() {
            window.emit(mouth, spike.index, spike.time)?;
        }
        let mut block: Array2<f64> = 2.0 * &window.signal(pull)?.slice(s![1.., ..]);
        match () {
            () if late("index") => window.emit(mouth, 3, end)?,
            () if late("past") => window.emit(mouth, 1, start)?,
            () if late("width") => window.write(angle, block.slice(s![.., ..2]))?,
            () if late("finite") => block[[0, 1]] = f64::NAN,
            () if late("message-past") => window.send(answer, start, b"late")?,
            () if late("twice") => window.write(angle, block.view())?,
            () if late("early") => return Ok(()),
            () if late("exception") => return Err("the arm is broken".into()),
            () if late("panic") => panic!("the arm is broken"),
            () => {}
        }
        if !late("forgotten") {
            window.write(angle, block.view())?;
        }
        for message in window.messages(order)?.iter() {
            let reversed: Vec<u8> = message.bytes.iter().rev().copied().collect();
            window.send(answer, message.time, &reversed)?;
        }
    }
    if does == "again" {
        session.next_window()?;
    }
    Ok(())
}
