//! `accord-coordinator`: see [`accord_coordinator::cli`].

fn main() -> std::process::ExitCode {
    accord_coordinator::cli::main(std::env::args_os())
}
