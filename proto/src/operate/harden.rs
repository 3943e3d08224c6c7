//! What a process does for itself before it reads a key: no core dump, and nobody of the same user may look into it.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Leaves nothing behind where it falls. Says what could not be done.
pub fn leave_no_core() -> Result<(), std::io::Error> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
