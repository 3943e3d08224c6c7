//! `cargo demo`, `cargo measure` and `cargo soak`: one program, so that all that it rests on is linked once. Comes in: which of them, and
//! what stands behind its name. Goes out: its exit code. Begun again with a role, it is a node, the coordinator, or whoever else
//! a federation needs.

use std::{io::Write as _, process::ExitCode};

use accord_tests::roles;

mod cycle;
mod demo;
mod measure;
mod soak;

fn main() -> ExitCode {
    if let Some(code) = roles::run_if_asked() {
        return code;
    }
    // What stands behind the program's own name begins with which of them is meant.
    let mut arguments = std::env::args_os().skip(1).peekable();
    let which = arguments.peek().and_then(|which| which.to_str()).unwrap_or_default().to_owned();
    match which.as_str() {
        "demo" => demo::main(&mut arguments),
        "measure" => measure::main(&mut arguments),
        "soak" => soak::main(&mut arguments),
        _ => {
            let _ = writeln!(std::io::stderr(), "demo, measure or soak, and what stands behind it");
            ExitCode::from(2)
        }
    }
}
