"""A model that is only named here, not run."""
