//! Where things are written, for what is found wrong when all has been read.

use super::diagnostic::Place;

/// Where the parts of a network are written in the configuration.
#[derive(Clone, Debug)]
pub struct Places {
    /// Each component's name.
    pub components: Vec<Place>,
    /// Each population's name.
    pub populations: Vec<Place>,
    /// Each projection's synapse.
    pub projections: Vec<Place>,
    /// The target of each connection that carries spikes.
    pub connections: Vec<Place>,
    /// Each signal's target.
    pub signals: Vec<Place>,
    /// Each message link's target.
    pub messages: Vec<Place>,
    /// The run's duration.
    pub duration: Option<Place>,
    /// The window asked for, if one is.
    pub window: Option<Place>,
}
