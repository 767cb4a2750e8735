//! Tells who keeps the others from going on, and who waits for whom on which link.

use std::time::Duration;

use couple_ports::control::Carried;

use super::member::{Member, Stage};
use super::report::{Failure, last_lines};
use super::stall::{self, Culprit, Standing};
use super::watch::Watch;

/// The rank to blame for a standstill.
pub fn culprit(members: &[Member], watch: &Watch) -> Option<Culprit> {
    stall::culprit(&standings(members, watch))
}

fn standings(members: &[Member], watch: &Watch) -> Vec<Standing> {
    members.iter().enumerate().map(|(line, member)| standing(line, member, watch)).collect()
}

fn standing(line: usize, member: &Member, watch: &Watch) -> Standing {
    let welcome = &member.welcome;
    let data = welcome.channels_in.iter().map(|c| (c.peer_line as usize, c.min_delay));
    let credit = welcome.channels_out.iter().filter_map(|c| Some((c.peer_line? as usize, c.credit?)));
    let time = watch.time(line);
    let left = couple_ports::time::Time::ZERO + welcome.duration - time;
    Standing {
        time,
        waiting_on: watch.waiting_on(line),
        done: member.stage >= Stage::Done,
        stopped: matches!(member.process_state(), Some('T' | 't')),
        window: welcome.window.min(left),
        leads: data.chain(credit).collect(),
    }
}

/// What a standstill looks like, and what to do about it.
pub fn standstill(members: &[Member], culprit: &Culprit, limit: Duration) -> (String, String) {
    let (limit, member) = (limit.as_secs_f64(), &members[culprit.line]);
    let raise = "if its windows simply take that long, raise --stall-limit";
    if culprit.cycle {
        let what = format!("has made no progress for {limit} s: ranks wait for each other in a circle");
        return (what, "this is a fault of the schedule; please report it with the configuration".to_string());
    }
    let (state, help) = match member.process_state() {
        Some('T' | 't') => {
            ("its process is stopped", "a signal (SIGSTOP, Ctrl-Z) or a debugger has stopped it".to_string())
        }
        Some('R') => ("its process computes without getting on", format!("an endless loop? {raise}")),
        Some('D') => ("its process waits for a disk", format!("a slow or lost file system? {raise}")),
        _ => (
            "its process sleeps, waiting for something outside the run",
            format!("a lock, a network, a keyboard? {raise}"),
        ),
    };
    (format!("has made no progress for {limit} s: {state}"), help)
}

/// The lines of ranks that wait for the one at fault.
fn waiting_for(failure: &Failure, members: &[Member], watch: &Watch) -> Vec<usize> {
    let at_fault = members.iter().position(|m| m.component == failure.component && m.rank == failure.rank);
    let running = (0..members.len()).filter(|line| members[*line].stage == Stage::Running);
    running
        .filter(|line| at_fault.is_some() && watch.waiting_on(*line) == at_fault && Some(*line) != at_fault)
        .collect()
}

/// Whether a rank has come to wait for the one at fault, for something that is not there.
pub fn has_come_to_wait(failure: &Failure, members: &[Member], watch: &Watch) -> bool {
    let ranks = standings(members, watch);
    let in_earnest = |line: usize| watch.waiting_on(line).is_some_and(|peer| !stall::is_there(&ranks, line, peer));
    waiting_for(failure, members, watch).into_iter().any(in_earnest)
}

/// Adds who waits for the one at fault, and the end of its log.
pub fn complete(failure: &mut Failure, members: &[Member], watch: &Watch) {
    if failure.time.is_some() {
        let waiting = waiting_for(failure, members, watch);
        failure.waiting = waiting.into_iter().map(|line| describe_wait(&members[line], line, watch)).collect();
    }
    failure.last_lines = last_lines(&failure.log);
}

/// What a channel carries: `the spikes`, `the samples`, or several of them.
fn what<'a>(links: impl Iterator<Item = &'a Carried>) -> String {
    let mut words: Vec<&str> = links.map(Carried::word).collect();
    words.sort_unstable();
    words.dedup();
    format!("the {}", words.join(" and "))
}

/// `ctx.0 waits at 12.3 ms for the spikes of E from detail.0`
fn describe_wait(waiter: &Member, line: usize, watch: &Watch) -> String {
    let welcome = &waiter.welcome;
    let (name, time) = (waiter.name(), watch.time(line));
    let Some(culprit) = watch.waiting_on(line) else { return format!("{name} has stopped waiting") };
    if let Some(channel) = welcome.channels_in.iter().find(|c| c.peer_line as usize == culprit) {
        let sources: Vec<String> =
            channel.links.iter().filter_map(|link| Some(format!("`{}`", welcome.source_of(link)?))).collect();
        return format!(
            "{name} waits at {time} for {} of {} from {}",
            what(channel.links.iter()),
            sources.join(", "),
            channel.peer
        );
    }
    let sent = welcome.channels_out.iter().find(|c| c.peer_line == Some(culprit as u32));
    match sent {
        Some(channel) => {
            let ports = channel.links.iter().filter_map(|(_, link)| welcome.port_of(link));
            let ports: Vec<String> = ports.map(|port| format!("`{port}`")).collect();
            let what = what(channel.links.iter().map(|(_, link)| link));
            format!("{name} waits at {time} until {} has taken {what} of {}", channel.peer, ports.join(", "))
        }
        None => format!("{name} waits at {time} for it"),
    }
}
