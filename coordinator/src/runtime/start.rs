//! What a rank says before the simulation, held against its part.

use couple_ports::control::Welcome;
use couple_ports::index::IndexSet;

/// Checks what a rank says it needs against its part.
pub fn check(welcome: &Welcome, needed: &[IndexSet]) -> Result<(), String> {
    if needed.len() != welcome.inputs.len() {
        return Err(format!("asked for {} inputs, but has {}", needed.len(), welcome.inputs.len()));
    }
    let bad = welcome.inputs.iter().zip(needed).find(|(input, set)| !set.is_valid(input.width));
    match bad {
        Some((input, _)) => {
            Err(format!("asked for neurons that `{}` does not have; it has {}", input.source, input.width))
        }
        None => Ok(()),
    }
}
