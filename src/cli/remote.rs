//! `tracefall jaeger` and `tracefall tempo`, and which of the servers that are asked were named on the command line.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use super::{Cli, Command};
use crate::config::Address;

/// Where servers are.
#[derive(Clone, Debug, Args)]
pub struct Urls {
    /// Where it is: a URL with or without a base path, or a bare host:port; several are asked together
    #[arg(value_name = "URL", required = true)]
    pub urls: Vec<Address>,
}

/// Adds the servers that a command names to those of the flags, and notes where none is named but by the environment.
pub(super) fn settle(cli: &mut Cli, matches: &ArgMatches) {
    let typed = |id: &str| {
        let here = matches.value_source(id) == Some(ValueSource::CommandLine);
        here || matches.subcommand().is_some_and(|(_, below)| below.value_source(id) == Some(ValueSource::CommandLine))
    };
    let flags = &mut cli.overrides.remotes;
    flags.from_environment = !["jaeger", "tempo", "sources"].into_iter().any(typed);
    let (known, urls) = match &cli.command {
        Some(Command::Jaeger(Urls { urls })) => (&mut flags.jaeger, urls),
        Some(Command::Tempo(Urls { urls })) => (&mut flags.tempo, urls),
        _ => return,
    };
    known.extend(urls.iter().cloned());
    flags.from_environment = false;
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory as _;

    use super::*;

    fn read(line: &[&str]) -> Cli {
        let line = ["tracefall"].iter().chain(line).map(OsString::from);
        Cli::from_arguments(Cli::command(), line).unwrap()
    }

    #[test]
    fn servers_are_named_by_flags_on_either_side_or_by_their_own_commands() {
        let cases: [(&[&str], &[&str], &[&str]); 6] = [
            (&["--jaeger", "a", "--jaeger", "b"], &["a", "b"], &[]),
            (&["--tempo", "t", "query", "x"], &[], &["t"]),
            (&["query", "x", "--jaeger", "a", "--tempo=t"], &["a"], &["t"]),
            (&["jaeger", "a", "b"], &["a", "b"], &[]),
            (&["jaeger", "a", "--tempo", "t"], &["a"], &["t"]),
            (&["tempo", "t"], &[], &["t"]),
        ];
        for (line, jaeger, tempo) in cases {
            let flags = read(line).overrides.remotes;
            let texts = |of: &[Address]| of.iter().map(|address| address.as_str().to_owned()).collect::<Vec<_>>();
            assert_eq!((texts(&flags.jaeger), texts(&flags.tempo)), (texts_of(jaeger), texts_of(tempo)), "{line:?}");
            assert!(!flags.from_environment, "{line:?}");
        }
        assert!(read(&["query", "x"]).overrides.remotes.from_environment);
    }

    fn texts_of(given: &[&str]) -> Vec<String> {
        given.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn headers_name_the_variable_that_holds_them() {
        let flags = read(&["query", "x", "--jaeger", "a", "--header-env", "X-Key=KEY"]).overrides.remotes;
        assert_eq!(flags.headers, [("X-Key".to_owned(), "KEY".to_owned())]);
        let wrong = ["tracefall", "--header-env", "X-Key"].iter().map(OsString::from);
        assert!(Cli::from_arguments(Cli::command(), wrong).is_err());
    }
}
