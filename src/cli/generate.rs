//! What is made from the command line's own description: completions for shells, and the manual.

use std::io;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

/// `tracefall completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Completions {
    /// For which shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// `tracefall man`.
#[derive(Clone, Debug, Args)]
pub struct Man {
    /// The page of this command (otherwise: of tracefall itself)
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

impl Completions {
    /// The script.
    #[must_use]
    pub fn script(self) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tracefall", &mut script);
        script
    }
}

impl Man {
    /// The page, in roff.
    ///
    /// # Errors
    /// Where there is no such command.
    pub fn page(&self) -> io::Result<Vec<u8>> {
        let mut command = Cli::command();
        command.build();
        let wanted = match &self.command {
            None => command,
            Some(name) => command.find_subcommand(name).cloned().ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, format!("there is no command `{}`", name.escape_debug()))
            })?,
        };
        let mut page = Vec::new();
        clap_mangen::Man::new(wanted).render(&mut page)?;
        Ok(page)
    }
}
