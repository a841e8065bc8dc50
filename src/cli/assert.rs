//! `tracefall assert`: what must hold of the traces.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{Output, Whom};
use crate::config;
use crate::model::Nanos;

/// `tracefall assert`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("assertions").multiple(true).required(true).args(["filters", "none", "no_finding", "max_p50", "max_p95", "max_p99"]))]
pub struct Assert {
    /// Every trace must match. Before a pipeline stands of which: `{ … } | count() < 20` is asked of traces with such spans
    #[arg(value_name = "FILTER", value_parser = super::hyphen::text)]
    pub filters: Vec<String>,
    /// No trace may match; may be given several times, as all of these
    #[arg(long, value_name = "FILTER", value_parser = super::hyphen::text)]
    pub none: Vec<String>,
    /// No trace has such a finding: nplus1, nplus1-scatter, dup, slow-sql, slow-share, serial, retry, gap, queue-wait, fanout,
    /// err-root, swallowed, outlive or integrity; of the traces that match, where a filter follows, as in 'nplus1,dup=service=pay'
    #[arg(long, value_name = "RULE[,RULE][=FILTER]", value_parser = no_finding)]
    pub no_finding: Vec<NoFinding>,
    /// Half of the spans that match take at most this long
    #[arg(long, value_name = "FILTER=DURATION", value_parser = bound)]
    pub max_p50: Vec<Bound>,
    /// 95 of 100 spans that match take at most this long, such as 'service=pay'=200ms
    #[arg(long, value_name = "FILTER=DURATION", value_parser = bound)]
    pub max_p95: Vec<Bound>,
    /// 99 of 100 spans that match take at most this long
    #[arg(long, value_name = "FILTER=DURATION", value_parser = bound)]
    pub max_p99: Vec<Bound>,
    /// Traces in a file, as for `query`; may be given several times
    #[arg(long = "file", value_name = "FILE", conflicts_with_all = ["duration", "pid"])]
    pub files: Vec<PathBuf>,
    /// Show at most this many of the traces that offend
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Who is asked.
    #[command(flatten)]
    pub whom: Whom,
    /// In which form.
    #[command(flatten)]
    pub output: Output,
}

/// A filter and the longest time that what it finds may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The filter.
    pub filter: String,
    /// The longest time.
    pub most: Nanos,
}

/// What must not be found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoFinding {
    /// Names of rules; whether they are known is for who knows the rules.
    pub rules: Vec<String>,
    /// The filter; empty for all traces.
    pub filter: String,
}

/// A rule's name has no such sign in it: the filter stands behind the first.
fn no_finding(text: &str) -> Result<NoFinding, String> {
    let text = super::hyphen::plain(text);
    let (rules, filter) = text.split_once('=').unwrap_or((text, ""));
    let rules: Vec<String> = rules.split(',').map(|rule| rule.trim().to_owned()).collect();
    if rules.iter().any(String::is_empty) {
        return Err("expected names of rules, such as nplus1,dup".to_owned());
    }
    Ok(NoFinding { rules, filter: filter.trim().to_owned() })
}

/// The bound stands behind the last `=`: a filter has such signs of its own.
fn bound(text: &str) -> Result<Bound, String> {
    let wrong = || "expected a filter, = and a length of time, such as 'service=pay'=200ms".to_owned();
    let (filter, most) = super::hyphen::plain(text).rsplit_once('=').ok_or_else(wrong)?;
    let most = config::parse_duration(most.trim()).ok_or_else(wrong)?;
    Ok(Bound { filter: filter.trim().to_owned(), most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_stands_behind_the_first_sign() {
        let of = |rules: &[&str], filter: &str| {
            let rules = rules.iter().map(|&rule| rule.to_owned()).collect();
            Ok(NoFinding { rules, filter: filter.to_owned() })
        };
        assert_eq!(no_finding("nplus1"), of(&["nplus1"], ""));
        assert_eq!(no_finding("nplus1, dup"), of(&["nplus1", "dup"], ""));
        assert_eq!(no_finding("nplus1=service=pay minDuration=1s"), of(&["nplus1"], "service=pay minDuration=1s"));
        assert!(no_finding("nplus1,").is_err() && no_finding("").is_err());
    }

    #[test]
    fn the_bound_stands_behind_the_last_sign() {
        let pay = |filter: &str| Ok(Bound { filter: filter.to_owned(), most: Nanos::from_millis(200) });
        assert_eq!(bound("service=pay=200ms"), pay("service=pay"));
        assert_eq!(bound("service=pay http.status_code>=500 = 200ms"), pay("service=pay http.status_code>=500"));
        assert_eq!(bound("=200ms"), pay(""));
        for wrong in ["service=pay", "200ms", "service=pay=", "service=pay=fast"] {
            assert!(bound(wrong).is_err(), "{wrong}");
        }
    }
}
