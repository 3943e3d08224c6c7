//! One binary, three roles: a test binary cannot count on the binaries of another package having been
//! built, so it re-executes itself with a role as its first argument.

use std::{ffi::OsString, io::Read as _, process::ExitCode};

/// First argument of a process that is to be a node.
pub const NODE: &str = "as-accord-node";
/// First argument of a process that is to be the coordinator.
pub const COORDINATOR: &str = "as-accord-coordinator";

/// First argument of a process that opens a store and says what it holds.
pub const STORE: &str = "as-store";

/// First argument of a process that is the yardstick of measurements: a plain echo.
pub const ECHO: &str = "as-echo";

/// First argument of a process that opens a store and says what that took.
pub const START: &str = "as-start";

/// First argument of a process that draws a regional picture and says what that took.
pub const PICTURE: &str = "as-picture";

/// First argument of a process that is a node which is asked and corrected until it is killed.
pub const ATTACKED: &str = "as-attacked";

/// First argument of a process that is many honest callers.
pub const CALLERS: &str = "as-callers";

/// First argument of a process that means harm.
pub const HOSTILE: &str = "as-hostile";

/// Runs the role that the first argument names, if it names one.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let role = arguments.next()?;
    let rest: Vec<_> = arguments.collect();
    let named = |name: &str| [&[OsString::from(name)], rest.as_slice()].concat();
    if role == NODE {
        end_with_parent(&rest);
        Some(accord_node::cli::main(named("accord-node")))
    } else if role == COORDINATOR {
        end_with_parent(&rest);
        Some(accord_coordinator::cli::main(named("accord-coordinator")))
    } else if role == STORE {
        Some(crate::damage::say(&rest))
    } else if role == ECHO {
        Some(crate::measure::echo(&rest))
    } else if role == START {
        Some(crate::measure::probe(&rest))
    } else if role == PICTURE {
        Some(crate::measure::probe_picture(&rest))
    } else if role == ATTACKED {
        Some(crate::attack::rollback::ask_until_killed(&rest))
    } else if role == CALLERS {
        Some(crate::callers::run(&rest))
    } else if role == HOSTILE {
        Some(crate::hostile::run(&rest))
    } else {
        None
    }
}

/// A server ends when whoever started it is gone, however that ended: its standard input closes then.
fn end_with_parent(arguments: &[OsString]) {
    let help = arguments.iter().any(|argument| argument == "--help");
    if !help && arguments.first().is_some_and(|command| command == "serve") {
        std::thread::spawn(|| {
            let mut nothing = [0];
            while std::io::stdin().read(&mut nothing).is_ok_and(|read| read > 0) {}
            std::process::exit(0);
        });
    }
}
