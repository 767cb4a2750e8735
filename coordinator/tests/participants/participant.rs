//! A program that takes part in a run, well or badly: `participant BEHAVIOUR [TIME]`, TIME in ms of simulated time;
//! or as the child of another process, `participant wraps BEHAVIOUR [TIME]`.
//!
//! It emits neuron 0 of each of its outputs at the end of each window, and tells each window in its log.

use std::error::Error;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, abort, exit};
use std::thread::sleep;
use std::time::Duration;

use couple_ports::control::descriptors::{self, Incoming};
use couple_ports::control::{
    Carrier, ENV_COMPONENT, ENV_RANK, ENV_SOCKET, ENV_TOKEN, FromCoordinator, FromRank, Hello, PROTOCOL_VERSION,
};
use couple_ports::index::IndexSet;
use couple_ports::session::Setup;
use couple_ports::status::StatusPage;
use couple_ports::time::{Span, Time};
use couple_ports::transport::Sender as _;
use couple_ports::transport::shm::{ShmSender, damage};
use rustix::process::{Signal, getpid, kill_process};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let behaviour = arguments.next().ok_or("usage: participant BEHAVIOUR [TIME]")?;
    if behaviour == "wraps" {
        // As a shell script does that starts the simulator.
        let status = Command::new(std::env::current_exe()?).args(arguments).status()?;
        exit(status.code().unwrap_or(1));
    }
    let at = Span::from_ms(arguments.next().map_or(Ok(0.0), |text| text.parse())?)?;
    match behaviour.as_str() {
        "never-connects" => idle(),
        "works-before-it-connects" => burn(Duration::from_secs(3)),
        "exits-before-it-connects" => exit(9),
        "other-version" => return greet(PROTOCOL_VERSION + 1, None),
        "other-token" => return greet(PROTOCOL_VERSION, Some("0123")),
        "garbage-greeting" => return garbage_greeting(),
        "garbage-in-ring" => return garbage_in_ring(),
        "has-a-child" => leave_a_child()?,
        _ => {}
    }
    let setup = Setup::connect()?;
    match behaviour.as_str() {
        "crashes-in-setup" => {
            println!("building, and then it breaks");
            abort()
        }
        "never-ready" => {
            println!("building");
            idle()
        }
        "is-stopped-in-setup" => signal(Signal::STOP),
        _ => {}
    }
    simulate(setup, &behaviour, Time::ZERO + at)
}

/// A signal to this very process.
fn signal(signal: Signal) {
    // It goes on where it was stopped, if anyone lets it.
    let _ = kill_process(getpid(), signal);
}

fn idle() -> ! {
    loop {
        sleep(Duration::from_secs(1000));
    }
}

fn burn(time: Duration) {
    let begin = std::time::Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn simulate(setup: Setup, behaviour: &str, at: Time) -> Outcome {
    let widths: Vec<u32> = setup.welcome().outputs.iter().map(|output| output.width).collect();
    let slow = behaviour == "slow";
    let needed = setup.welcome().inputs.iter().map(|input| IndexSet::all(input.width)).collect();
    let mut run = setup.start(needed)?;
    let mut received = 0u64;
    loop {
        let window = match run.next_window() {
            Ok(Some(window)) => window,
            Ok(None) => break,
            Err(error) => {
                run.fail(&error.to_string());
                return Err(error.into());
            }
        };
        println!("window to {}", window.end);
        run.for_each_input(|_, _, _| received += 1)?;
        if window.end >= at {
            misbehave(behaviour);
        }
        if behaviour == "fails" && window.end >= at {
            run.fail("the model has left its domain");
            exit(5);
        }
        if slow {
            sleep(Duration::from_millis(1));
        }
        for output in (0..widths.len()).filter(|output| widths[*output] > 0) {
            run.emit(output, 0, window.end);
        }
    }
    run.finish()?;
    match behaviour {
        "never-leaves" => idle(),
        "exits-badly" => exit(7),
        "works-after-its-part" => burn(Duration::from_secs(3)),
        _ => println!("received {received}"),
    }
    Ok(())
}

/// What a process may do to itself in the middle of a window.
fn misbehave(behaviour: &str) {
    match behaviour {
        "is-killed" => signal(Signal::KILL),
        "is-stopped" => signal(Signal::STOP),
        "exits" => exit(3),
        "exits-with-0" => exit(0),
        "aborts" => abort(),
        "loops" | "stubborn" => loop {
            std::hint::spin_loop();
        },
        "sleeps" => idle(),
        _ => {}
    }
}

/// A process that its rank's process group does not know of.
fn leave_a_child() -> Outcome {
    let mut child = Command::new("sleep");
    child.arg("1000").process_group(0).spawn()?;
    Ok(())
}

fn connect() -> Result<UnixStream, Box<dyn Error>> {
    let name = std::env::var(ENV_SOCKET)?;
    Ok(UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?)
}

fn hello(version: u32, token: Option<&str>) -> Result<FromRank, Box<dyn Error>> {
    let token = token.map_or_else(|| std::env::var(ENV_TOKEN), |token| Ok(token.to_string()))?;
    let (component, rank) = (std::env::var(ENV_COMPONENT)?, std::env::var(ENV_RANK)?.parse()?);
    Ok(FromRank::Hello(Hello { version, token, component, rank, pid: std::process::id() }))
}

/// Greets, and stays whatever the answer is.
fn greet(version: u32, token: Option<&str>) -> Outcome {
    let socket = connect()?;
    descriptors::send(&socket, &hello(version, token)?, &[])?;
    let answer = Incoming::new().receive::<FromCoordinator>(&socket, None)?;
    println!("the answer: {:?}", answer.map(|(message, _)| message));
    idle()
}

fn garbage_greeting() -> Outcome {
    use std::io::Write as _;
    let mut socket = connect()?;
    socket.write_all(b"GET / HTTP/1.1\r\nHost: couple\r\n\r\n")?;
    idle()
}

/// Takes part as it should until the start; then writes nonsense into all its rings.
fn garbage_in_ring() -> Outcome {
    let socket = connect()?;
    let mut incoming = Incoming::new();
    descriptors::send(&socket, &hello(PROTOCOL_VERSION, None)?, &[])?;
    let Some((FromCoordinator::Welcome(welcome), files)) = incoming.receive(&socket, None)? else {
        return Err("not welcome".into());
    };
    let needed = welcome.inputs.iter().map(|input| IndexSet::all(input.width)).collect();
    descriptors::send(&socket, &FromRank::Ready { needed }, &[])?;
    incoming.receive::<FromCoordinator>(&socket, None)?;
    for channel in &welcome.channels_out {
        if let Carrier::Shm { descriptor, capacity } = channel.carrier {
            let file = &files[descriptor as usize];
            damage::write(file, capacity, &[0xA5; 64], 64)?;
            // Says that it is complete, so that it is read.
            ShmSender::map(file, capacity)?.publish(Time::ZERO + welcome.window)?;
        }
    }
    let page = StatusPage::map(&files[0], welcome.lines)?;
    couple_ports::status::publish_fence();
    page.lines().iter().for_each(couple_ports::status::Line::wake);
    idle()
}
