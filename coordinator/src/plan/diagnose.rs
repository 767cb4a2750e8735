//! Planning errors as diagnostics of the configuration, with the place where the cause is written.

use couple_network::description::Network;

use super::PlanError;
use super::edges::{Feed, LoopEdge};
use crate::config::{Diagnostic, Place, Places};

impl PlanError {
    /// The error as a diagnostic: at the projection, connection or component that causes it.
    pub fn diagnose(&self, network: &Network, places: &Places) -> Diagnostic {
        let place_of = |feed: &Feed| match feed {
            Feed::Projection { id, .. } => places.projections.get(*id),
            Feed::Connection { id, .. } => places.connections.get(*id),
            Feed::Signal { id, .. } => places.signals.get(*id),
            Feed::Messages { id, .. } => places.messages.get(*id),
        };
        let component = |name: &String| network.component(name).and_then(|id| places.components.get(id));
        let text = self.to_string();
        let at = |code, place: Option<&Place>, text| match place {
            Some(place) => Diagnostic::error(code, place, text),
            None => Diagnostic::without_place(code, text),
        };
        let diagnostic = match self {
            PlanError::NoWindow { cycle, .. } => {
                let mut edges: Vec<&LoopEdge> = cycle.iter().collect();
                edges.sort_by_key(|e| std::cmp::Reverse(e.delay));
                // The longest delay is the one that needs the smallest change.
                let first = edges.first().and_then(|e| place_of(&e.by));
                let label = edges.first().map(|e| e.delay.to_string()).unwrap_or_default();
                let diagnostic = at("no-window", first, text).label(label);
                match edges.get(1).and_then(|e| Some((place_of(&e.by)?, e.delay))) {
                    Some((place, delay)) => diagnostic.related(place, delay.to_string()),
                    None => diagnostic,
                }
            }
            PlanError::NegativeDelay { by, .. } => at("negative-delay", place_of(by), text),
            PlanError::Interpolation { by, .. } => at("delay", place_of(by), text).label("too short"),
            PlanError::InnerConnection { component: name, .. } => at("inner-connection", component(name), text),
            PlanError::Steps { steps } => {
                at("steps", steps.first().and_then(|(name, _)| component(name)), text).label("in the loop")
            }
            PlanError::Step { component: name, .. } => at("step", component(name), text),
            PlanError::Duration { component: name, .. } => {
                at("off-grid", places.duration.as_ref().or_else(|| component(name)), text)
            }
            PlanError::WindowGrid { component: name, .. } => {
                at("window-grid", places.window.as_ref().or_else(|| component(name)), text)
            }
            PlanError::WindowLong { component: name, by, .. } => {
                let diagnostic = at("window-long", places.window.as_ref().or_else(|| component(name)), text);
                let diagnostic = diagnostic.label("too long");
                match by.as_ref().and_then(|edge| Some((place_of(&edge.by)?, edge.delay))) {
                    Some((place, delay)) => diagnostic.related(place, format!("this delay is {delay}")),
                    None => diagnostic,
                }
            }
            PlanError::NotPositive { .. } => Diagnostic::without_place("not-positive", text),
        };
        match miette::Diagnostic::help(self) {
            Some(help) => diagnostic.help(help.to_string()),
            None => diagnostic,
        }
    }
}
