//! `accord-node`: see [`accord_node::cli`].

fn main() -> std::process::ExitCode {
    accord_node::cli::main(std::env::args_os())
}
