//! One test for each rule of the planner.

use couple_network::description::{Delay, Distribution, Interpolation, Simulator};

use super::super::{LONGEST_WINDOW, Plan, PlanError};
use super::{Net, ms, net, windows};

fn pair(there: &str, back: &str) -> Net {
    let two = net("100 ms").component("a", "0.1", 1).component("b", "0.1", 1);
    two.projection("a", "b", there).projection("b", "a", back)
}

#[test]
fn links_are_one_for_each_population_and_target_component() {
    let net = net("10 ms").component("a", "0.1", 1).stimulus("s").population("q", 7, super::Model::Port);
    let net = net.component("b", "0.1", 1).component("c", "0.1", 1);
    let net = net.projection("q", "c", "3").projection("a", "b", "2").projection("a", "b", "1.5");
    let net = net.projection("s", "b", "0.1").projection("a", "q", "0.1").connection("a", "b", "0");
    let plan = net.plan().unwrap();
    let told: Vec<_> = plan.links.iter().map(|l| (l.id, l.source_name.as_str(), l.to, l.min_delay, l.width)).collect();
    // The stimulus and the inner projection need no link; the two projections a→b share one.
    assert_eq!(told, [(0, "a", 1, ms("1.5"), 10), (1, "q", 2, ms("3"), 7), (2, "a", 1, ms("0"), 10)]);
    let feeds: Vec<_> = plan.links[0].feeds.iter().map(ToString::to_string).collect();
    assert_eq!(feeds, ["projection `a→b#2`", "projection `a→b#1`"]);
    assert_eq!(plan.links[2].target.as_deref(), Some("b"));
}

#[test]
fn ranks_of_one_component_are_linked() {
    let one = net("10 ms").component("a", "0.1", 1).projection("a", "a", "1").plan().unwrap();
    assert_eq!((one.links.len(), one.channels.len(), one.loops.len()), (0, 0, 0));
    let three = net("10 ms").component("a", "0.1", 3).projection("a", "a", "1.5").plan().unwrap();
    assert_eq!((three.links.len(), three.channels.len(), three.loops.len()), (1, 6, 1));
    assert_eq!(windows(&three), ["1.5 ms"]);
}

#[test]
fn random_delays_count_with_their_bound() {
    let delay = Delay::Random(Distribution::NormalClipped { mu: 1.5, sigma: 0.5, low: 0.33, high: 3.0 });
    let plan = net("10 ms").component("a", "0.1", 1).component("b", "0.1", 1).projection_with("a", "b", delay);
    assert_eq!(plan.plan().unwrap().links[0].min_delay, ms("0.3"));
}

#[test]
fn a_loop_runs_at_the_same_time_with_its_shortest_delay() {
    let plan = pair("1.5", "2").plan().unwrap();
    assert_eq!(windows(&plan), ["1.5 ms", "1.5 ms"]);
    let planned = &plan.loops[0];
    assert!(!planned.turns && planned.short.is_empty());
    assert_eq!(planned.limit.to_string(), "`a` to `b` 1.5 ms (projection `a→b#0`)");
    assert!(plan.links.iter().all(|l| l.credit.is_none()), "a loop bounds its leads itself");
}

#[test]
fn the_window_of_a_loop_is_a_multiple_of_all_steps() {
    let net = net("100 ms").component("a", "0.2", 1).component("b", "0.5", 1);
    let plan = net.projection("a", "b", "2.5").projection("b", "a", "2.4").plan().unwrap();
    assert_eq!(windows(&plan), ["2 ms", "2 ms"]);
}

#[test]
fn a_loop_with_a_short_edge_takes_turns() {
    let net = net("100 ms").component("fast", "0.025", 1).component("slow", "0.1", 1);
    let plan = net.projection("slow", "fast", "0.025").projection("fast", "slow", "1.5").plan().unwrap();
    let planned = &plan.loops[0];
    assert!(planned.turns);
    assert_eq!(planned.window, ms("1.5"));
    assert_eq!(planned.short.len(), 1);
    assert_eq!(planned.short[0].to_string(), "`slow` to `fast` 0.025 ms (projection `slow→fast#0`)");
    assert_eq!(planned.limit.by.to_string(), "projection `fast→slow#1`");
}

#[test]
fn turns_are_limited_by_the_tightest_cycle() {
    let net = net("100 ms").component("a", "0.025", 1).component("b", "0.1", 1).component("c", "0.1", 1);
    let net = net.projection("b", "a", "0.025").projection("a", "b", "5").projection("b", "c", "3");
    let plan = net.projection("c", "b", "0.7").plan().unwrap();
    // The cycle a-b allows 5 ms, b-c 3 ms.
    assert_eq!(windows(&plan), ["3 ms", "3 ms", "3 ms"]);
    assert_eq!(plan.loops[0].limit.by.to_string(), "projection `b→c#2`");
}

#[test]
fn a_loop_without_a_window_is_refused_by_name() {
    let net = net("100 ms").component("a", "0.025", 1).component("b", "0.5", 1);
    let net = net.projection("b", "a", "0.3").connection("a", "b", "0.4");
    let error = net.plan().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no window for the loop of `a` and `b`: none of its delays reaches 0.5 ms, the shortest window (step of `a` \
         0.025 ms, step of `b` 0.5 ms): `a` to `b` 0.4 ms (connection `a` to `b`); `b` to `a` 0.3 ms (projection \
         `b→a#0`)"
    );
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.contains("at least 0.5 ms"), "{help}");
}

#[test]
fn nest_exchanges_inside_once_in_each_window() {
    let alone = |simulator| {
        let net = net("100 ms").component("n", "0.1", 1).on(simulator).stimulus("s").projection("s", "n", "0.1");
        net.projection("n", "n", "0.7").plan().unwrap()
    };
    let nest = alone(Simulator::Nest);
    assert_eq!(windows(&nest), ["0.7 ms"]);
    assert_eq!((nest.links.len(), nest.channels.len()), (0, 0));
    assert_eq!(windows(&alone(Simulator::Native)), ["1 ms"]);
    // In a larger loop the inner delay is one of the loop's delays, and a short one cannot be evaded by turns.
    let net = pair("1.5", "2");
    let net = Net(couple_network::description::Network {
        components: {
            net.0.components.into_iter().map(|c| super::Component { simulator: Simulator::Nest, ..c }).collect()
        },
        ..net.0
    });
    assert_eq!(windows(&net.projection("b", "b", "0.3").plan().unwrap()), ["0.3 ms", "0.3 ms"]);
}

#[test]
fn outside_loops_windows_are_one_millisecond_or_one_step() {
    let net = net("12 ms").component("a", "0.3", 1).component("b", "4", 1).component("c", "0.1", 1);
    let plan = net.projection("a", "b", "4").projection("b", "c", "0.1").plan().unwrap();
    assert_eq!(windows(&plan), ["0.9 ms", "4 ms", "1 ms"]);
    assert!(plan.loops.is_empty());
}

#[test]
fn credit_exceeds_all_windows_together() {
    let net = net("12 ms").component("a", "0.3", 1).component("b", "4", 1).component("c", "0.1", 1);
    let plan = net.projection("a", "b", "4").projection("b", "c", "0.1").projection("a", "c", "1").plan().unwrap();
    for link in &plan.links {
        let credit = link.credit.expect("no loop");
        assert!(credit >= ms("0.9") + ms("4") + ms("1") + ms("4"));
        assert!(credit >= plan.components[link.from].window * 16 && credit >= plan.components[link.to].window * 16);
    }
}

#[test]
fn credit_of_a_huge_population_is_bounded_by_memory() {
    let mut net = net("12 ms").component("a", "0.1", 1).component("b", "0.1", 1).projection("a", "b", "1");
    net.0.populations[0].size = 20_000_000;
    let plan = net.plan().unwrap();
    assert_eq!(plan.links[0].credit, Some(ms("3")));
    assert_eq!(plan.channels[0].capacity, 16 << 20);
}

#[test]
fn rings_hold_a_volley() {
    let mut net = net("12 ms").component("a", "0.1", 2).component("b", "0.1", 1).projection("a", "b", "1");
    assert_eq!(net.plan().unwrap().channels[0].capacity, 64 << 10);
    net.0.populations[0].size = 100_000;
    // 50,000 neurons on each rank, 8 bytes, twice: 800,000 bytes.
    let plan = net.plan().unwrap();
    assert_eq!(plan.channels.iter().map(|c| c.capacity).collect::<Vec<_>>(), [1 << 20, 1 << 20]);
    assert_eq!(plan.memory.rings, 2 << 20);
}

#[test]
fn rings_hold_the_samples_of_a_window_and_a_message() {
    let hold = Interpolation::Hold;
    let mut net = net("12 ms").component("a", "0.1", 1).component("b", "0.1", 1).signal("a", "b", "1", hold);
    assert_eq!(net.plan().unwrap().channels[0].capacity, 64 << 10);
    (net.0.populations[0].size, net.0.populations[1].size) = (1000, 1000);
    // 16 windows of 1 ms that the sender may be ahead, and one more: 170 rows of 8,000 bytes.
    let plan = net.plan().unwrap();
    assert_eq!(plan.channels[0].capacity, 2 << 20);
    assert!(plan.memory.held > 170 * 8000, "{:?}", plan.memory);
    (net.0.populations[0].size, net.0.populations[1].size) = (1 << 24, 1 << 24);
    // Fewer windows, and no larger ring: a block goes through it in parts.
    let plan = net.plan().unwrap();
    assert_eq!((plan.channels[0].capacity, plan.links[0].credit), (16 << 20, Some(ms("3"))));
    let plan = net_of_messages().plan().unwrap();
    // A message of 64 KiB and its packet take no more than a quarter.
    assert!(plan.channels.iter().all(|c| c.capacity >= 4 * (65 << 10)), "{:?}", plan.channels);
}

fn net_of_messages() -> Net {
    net("12 ms").component("a", "0.1", 2).component("b", "0.1", 2).messages("a", "b", "1")
}

#[test]
fn a_loop_of_ranks_that_do_not_all_hear_each_other_is_bounded_by_credit() {
    let hold = Interpolation::Hold;
    let net = |ranks| net("12 ms").component("a", "0.1", ranks).component("b", "0.1", ranks);
    let signals = |ranks| net(ranks).signal("a", "b", "1", hold).signal("b", "a", "1", hold);
    let ends = |plan: &Plan| plan.channels.iter().map(|c| (c.from, c.to)).collect::<Vec<_>>();
    let one = signals(1).plan().unwrap();
    assert!(one.channels.iter().all(|c| c.credit.is_none()));
    let two = signals(2).plan().unwrap();
    assert_eq!(ends(&two), [(0, 2), (1, 3), (2, 0), (3, 1)]);
    assert!(two.channels.iter().all(|c| c.credit == Some(ms("16")) && c.lead == ms("16")), "{:?}", two.channels);
    // Spikes go from each rank to each, so that all are held together.
    let all = signals(2).projection("a", "b", "1").projection("b", "a", "1").plan().unwrap();
    assert!(all.channels.iter().all(|c| c.credit.is_none()));
    // With longer delays they hold less than the signals' tell.
    let less = signals(2).projection("a", "b", "2").projection("b", "a", "2").plan().unwrap();
    assert!(less.channels.iter().all(|c| c.credit.is_some()));
    let delays: Vec<_> = less.channels.iter().map(|c| c.min_delay.to_string()).collect();
    assert_eq!(delays, ["1 ms", "2 ms", "2 ms", "1 ms", "1 ms", "2 ms", "2 ms", "1 ms"]);
}

#[test]
fn linear_interpolation_of_later_samples_is_refused() {
    let net = |delay| {
        net("12 ms").component("a", "1", 1).component("b", "0.1", 1).signal("a", "b", delay, Interpolation::Linear)
    };
    assert!(net("1").plan().is_ok());
    let error = net("0.9").plan().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the delay 0.9 ms of signal `a.x0` to `b.x0` is too short to interpolate between samples that are 1 ms apart"
    );
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert_eq!(help, "use a delay of at least 1 ms, or interpolation = \"hold\"");
}

#[test]
fn a_window_that_is_asked_for() {
    assert_eq!(windows(&pair("1.5", "2").plan_with_window("0.5").unwrap()), ["0.5 ms", "0.5 ms"]);
    let long = pair("1.5", "2").plan_with_window("1.6").unwrap_err();
    assert_eq!(
        long.to_string(),
        "the window 1.6 ms is too long for component `a`: at most 1.5 ms, because of the loop's delay `a` to `b` \
         1.5 ms (projection `a→b#0`)"
    );
    assert!(matches!(pair("1.5", "2").plan_with_window("0.25"), Err(PlanError::WindowGrid { .. })));
    assert!(matches!(pair("1.5", "2").plan_with_window("0"), Err(PlanError::NotPositive { .. })));
    let free = net("10 s").component("a", "0.1", 1);
    assert_eq!(windows(&free.plan_with_window("2 s").unwrap()), ["2000 ms"]);
    assert!(matches!(free.plan_with_window("5 s"), Err(PlanError::WindowLong { .. })));
    // A shorter window may turn waiting into working at the same time.
    let net = net("100 ms").component("a", "0.1", 1).component("b", "0.2", 1);
    let net = net.projection("b", "a", "0.1").projection("a", "b", "1");
    assert!(net.plan().unwrap().loops[0].turns);
    assert_eq!(net.plan_with_window("0.2").unwrap().loops[0].short.len(), 1);
    assert_eq!(pair("0.1", "1").plan().unwrap().loops[0].window, ms("0.1"));
}

#[test]
fn windows_stay_within_bounds() {
    let plan = pair("2 s", "3 s").plan().unwrap();
    assert_eq!(windows(&plan), ["100 ms", "100 ms"]);
    assert_eq!(windows(&pair("2 s", "3 s").plan_with_window("2 s").unwrap()), ["2000 ms", "2000 ms"]);
    assert_eq!(pair("9 s", "9 s").plan().unwrap().loops[0].longest_window(), LONGEST_WINDOW);
}

#[test]
fn grids_that_do_not_fit_are_refused() {
    let odd = net("1.05 ms").component("a", "0.1", 1).plan().unwrap_err();
    assert_eq!(odd.to_string(), "the duration 1.05 ms is no whole number of steps of component `a` (0.1 ms)");
    assert_eq!(miette::Diagnostic::help(&odd).unwrap().to_string(), "the nearest durations are 1 ms and 1.1 ms");
    assert!(matches!(net("0").component("a", "0.1", 1).plan(), Err(PlanError::NotPositive { .. })));
    assert!(matches!(net("1").component("a", "0", 1).plan(), Err(PlanError::NotPositive { .. })));
    assert!(matches!(net("1").component("a", "0.1", 0).plan(), Err(PlanError::NotPositive { .. })));
    assert!(matches!(net("10 s").component("a", "5 s", 1).plan(), Err(PlanError::Step { .. })));
    let two = net("99999900 ns").component("a", "0.999999", 1).component("b", "99.9999", 1);
    let net = two.projection("a", "b", "99.9999").projection("b", "a", "0.999999");
    assert!(matches!(net.plan(), Ok(_) | Err(PlanError::Duration { .. })));
}

#[test]
fn steps_that_meet_too_seldom_are_refused() {
    let net = net("999999.9 s").component("a", "0.99999", 1).component("b", "0.99998", 1);
    let mut net = net.projection("a", "b", "0.99998").projection("b", "a", "0.99999");
    net.0.duration = ms("0.99999") * 99_998;
    let error = net.plan().unwrap_err();
    assert!(matches!(error, PlanError::Steps { .. }), "{error}");
}

#[test]
fn a_connection_within_a_component_is_refused() {
    let net = net("1 ms").component("a", "0.1", 1).population("in", 10, super::Model::Port).connection("a", "in", "1");
    assert!(matches!(net.plan(), Err(PlanError::InnerConnection { .. })));
}

#[test]
fn negative_delays_are_refused() {
    let net = net("1 ms").component("a", "0.1", 1).component("b", "0.1", 1);
    assert!(matches!(net.projection("a", "b", "-1").plan(), Err(PlanError::NegativeDelay { .. })));
}

#[test]
fn spinning_needs_a_core_for_each_thread() {
    assert!(pair("1", "1").plan().unwrap().spin);
    assert!(!pair("1", "1").component("c", "0.1", 1).plan().unwrap().spin);
}

#[test]
fn the_same_plan_as_json_has_units_in_its_names() {
    let json = serde_json::to_value(pair("1.5", "2").plan().unwrap()).unwrap();
    assert_eq!(json["components"][0]["window_ns"], 1_500_000);
    assert_eq!(json["links"][0]["min_delay_ns"], 1_500_000);
    assert_eq!(json["loops"][0]["limit"]["delay_ns"], 1_500_000);
}
