//! How much of what takes long is run. Comes in: `ACCORD_WHOLE`, which `.ci/run` sets. Goes out: whether everything is wanted.
//! Whoever leaves something out says so.

/// Is everything wanted, or what a developer waits for?
pub fn is_whole() -> bool {
    std::env::var_os("ACCORD_WHOLE").is_some_and(|set| !set.is_empty())
}
