//! The Inferix node: everything that touches the world.
