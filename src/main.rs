//! The program: parse, run, print the error, choose the exit code.

fn main() {
    let _ = tracefall::cli::Cli::read();
}
