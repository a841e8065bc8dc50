//! Whether assertions hold of the traces held, all judged by the same view.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::answer::{Held, Offence, Peer, most, newest_first, tell};
use super::filter::Filter;
use super::protocol::{Assertion, Reply, Wrong};
use crate::analysis::findings::{Held as Evidence, Rule, across, judge_all};
use crate::analysis::{Thresholds, analyse};
use crate::index::View;
use crate::model::{Nanos, Timestamp, TraceId, percentile};
use crate::query::Hit;
use crate::run::clock;

/// Judges each assertion and tells of the traces that offend it; answers whether the search was cut short.
///
/// # Errors
/// What to answer where a filter cannot be read, or there is nothing to judge.
pub(super) fn check(
    held: &Held,
    assertions: &[Assertion],
    limit: Option<u64>,
    peer: &mut dyn Peer,
) -> Result<bool, Wrong> {
    let ready = assertions.iter().map(Ready::read).collect::<Result<Vec<_>, _>>()?;
    let view = held.reader.view();
    let stats = view.stats();
    if stats.traces == 0 {
        return Err(Wrong::new("there is no trace to check"));
    }
    if held.filed && stats.traces_evicted > 0 {
        return Err(Wrong::new("not all of it fits into memory (--memory), so nothing can be said of it"));
    }
    let judged: Vec<Judged> = ready.iter().map(|ready| ready.judge((held, &view), clock::now(), &*peer)).collect();
    let offenders = judged.into_iter().map(|judged| {
        let hits = newest_first(held, &view, judged.offenders, most(limit));
        (judged.holds, judged.why, hits, judged.reasons)
    });
    let offenders: Vec<_> = offenders.collect();
    drop(view);
    let partial = peer.is_gone();
    for (assertion, (holds, why, hits, reasons)) in assertions.iter().zip(offenders) {
        let assertion = assertion.to_string();
        if !peer.take(Reply::Verdict { assertion: assertion.clone(), holds, why }) {
            break;
        }
        tell(held, &hits, Some(&Offence { assertion: &assertion, reasons: &reasons }), peer);
    }
    Ok(partial)
}

/// What was found out about an assertion.
#[derive(Default)]
struct Judged {
    holds: bool,
    why: String,
    offenders: Vec<Hit>,
    /// Why each offends, where that can be said.
    reasons: HashMap<TraceId, String>,
}

/// An assertion whose filters were read.
enum Ready {
    Each { filter: Filter, about: Option<Filter> },
    None { filter: Filter },
    NoFinding { filter: Filter, rules: Vec<Rule> },
    Most { filter: Filter, percent: u8, most: Nanos },
}

impl Ready {
    fn read(assertion: &Assertion) -> Result<Self, Wrong> {
        Ok(match assertion {
            Assertion::Each { filter } => {
                let filter = Filter::read(filter)?;
                Self::Each { about: filter.before_pipeline(), filter }
            }
            Assertion::None { filter } => Self::None { filter: Filter::read(filter)? },
            Assertion::NoFinding { rules, filter } => {
                let named = |name: &String| {
                    Rule::named(name).ok_or_else(|| Wrong::new(format!("there is no rule {name}; {}", known_rules())))
                };
                let rules = rules.iter().map(named).collect::<Result<_, _>>()?;
                Self::NoFinding { filter: Filter::read(filter)?, rules }
            }
            Assertion::Most { filter, percent, most } => {
                Self::Most { filter: Filter::read(filter)?, percent: *percent, most: Nanos(*most) }
            }
        })
    }

    fn judge(&self, (held, view): (&Held, &View), now: Timestamp, peer: &dyn Peer) -> Judged {
        let find = |filter: &Filter| filter.find(view, now, &|| peer.is_gone()).hits;
        match self {
            Self::Each { filter, about } => {
                let meant = match about {
                    Some(about) => find(about),
                    None => view.traces().map(|trace| Hit { trace, matched: 0, first: None }).collect(),
                };
                each(meant, &find(filter))
            }
            Self::None { filter } => none(find(filter)),
            Self::NoFinding { filter, rules } => no_finding((held, view), find(filter), rules, peer),
            Self::Most { filter, percent, most } => {
                let durations = |hit: &Hit| filter.durations(view, now, hit);
                at_most(find(filter), &durations, (*percent, *most))
            }
        }
    }
}

fn each(meant: Vec<Hit>, matching: &[Hit]) -> Judged {
    let matching: HashSet<TraceId> = matching.iter().map(|hit| hit.trace).collect();
    let all = meant.len();
    let offenders: Vec<Hit> = meant.into_iter().filter(|hit| !matching.contains(&hit.trace)).collect();
    let why = match (all, offenders.len()) {
        (0, _) => "no trace has such spans".to_owned(),
        (_, 0) => format!("all {all}"),
        (_, failed) => format!("{failed} of {all} do not match"),
    };
    Judged { holds: offenders.is_empty(), why, offenders, ..Judged::default() }
}

fn none(offenders: Vec<Hit>) -> Judged {
    let why = if offenders.is_empty() { String::new() } else { format!("{} match", offenders.len()) };
    Judged { holds: offenders.is_empty(), why, offenders, ..Judged::default() }
}

/// Judges every trace that matches. As with percentiles, a filter that matches nothing is not taken for success.
fn no_finding((held, view): (&Held, &View), hits: Vec<Hit>, rules: &[Rule], peer: &dyn Peer) -> Judged {
    const TOLD: usize = 5;
    if hits.is_empty() {
        return Judged { why: "nothing matches".to_owned(), ..Judged::default() };
    }
    let (all, thresholds, view) = (hits.len(), &held.thresholds, &view.for_many());
    // What a statement usually takes is only known once all were read.
    let past = rules.contains(&Rule::Past);
    let mut digests: Vec<(TraceId, across::Digest)> = Vec::new();
    let mut found: HashMap<TraceId, Vec<(Nanos, String)>> = HashMap::new();
    for hit in hits.iter().take_while(|_| !peer.is_gone()) {
        let Some(trace) = view.trace(hit.trace) else { continue };
        let analysis = analyse(Arc::new(trace), thresholds);
        let mut own = judge_all(&analysis, thresholds, &Evidence { view, trace: hit.trace });
        own.retain(|finding| rules.contains(&finding.rule));
        if !own.is_empty() {
            found.insert(hit.trace, own.into_iter().take(TOLD).map(|finding| (finding.cost, finding.why)).collect());
        }
        let digest = if past { across::digest(&analysis, thresholds, Vec::new()) } else { None };
        digests.extend(digest.map(|digest| (hit.trace, digest)));
    }
    let others = others(view, &hits, digests.iter().any(|(_, digest)| digest.has_suspects()), thresholds);
    let slower = digests.iter().map(|(trace, digest)| (*trace, digest));
    for (trace, cost, why) in across::slower(slower, others.iter(), thresholds) {
        found.entry(trace).or_default().push((cost, why));
    }
    // Of equal ones the first.
    let offenders: Vec<Hit> = hits.into_iter().filter(|hit| found.contains_key(&hit.trace)).collect();
    let told = offenders.iter().rev().filter_map(|hit| found.get(&hit.trace));
    let worst = told.flat_map(|found| found.iter().rev()).max_by_key(|(cost, _)| *cost).map(|(_, why)| why.clone());
    let joined = |found: &Vec<(Nanos, String)>| {
        found.iter().take(TOLD).map(|(_, why)| why.as_str()).collect::<Vec<_>>().join("; ")
    };
    let reasons = found.iter().map(|(trace, found)| (*trace, joined(found))).collect();
    let mut judged = Judged { offenders, reasons, ..Judged::default() };
    judged.holds = judged.offenders.is_empty();
    judged.why = match worst {
        None => format!("all {all}"),
        Some(worst) => format!("{} of {all} traces, at worst: {}", judged.offenders.len(), worst),
    };
    judged
}

/// The database calls of all other traces, where they are wanted: a statement's past is not only what a filter finds.
fn others(view: &View, hits: &[Hit], wanted: bool, thresholds: &Thresholds) -> Vec<across::History> {
    let own: HashSet<TraceId> = hits.iter().map(|hit| hit.trace).collect();
    let others = view.traces().filter(|trace| wanted && !own.contains(trace));
    let read = |trace| Some(across::History::of(&analyse(Arc::new(view.trace(trace)?), thresholds)));
    others.filter_map(read).collect()
}

/// The rules there are, for who misspelt one.
pub(super) fn known_rules() -> String {
    format!("there are {}", Rule::ALL.map(Rule::name).join(", "))
}

/// The percentile by the nearest rank. Where nothing matches there is none, and that is not taken for success: a filter with a
/// slip in it would hold for ever.
fn at_most(hits: Vec<Hit>, durations: &dyn Fn(&Hit) -> Vec<Nanos>, (percent, most): (u8, Nanos)) -> Judged {
    let mut all = Vec::new();
    let mut offenders = Vec::new();
    for hit in hits {
        let durations = durations(&hit);
        if durations.iter().any(|duration| *duration > most) {
            offenders.push(hit);
        }
        all.extend(durations);
    }
    all.sort_unstable();
    let Some(found) = percentile(&all, usize::from(percent)) else {
        return Judged { holds: false, why: "nothing matches".to_owned(), ..Judged::default() };
    };
    let holds = found <= most;
    if holds {
        offenders.clear();
    }
    Judged { holds, why: format!("p{percent} of {} is {found}", all.len()), offenders, ..Judged::default() }
}

impl std::fmt::Display for Assertion {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Each { filter } => write!(out, "{filter}"),
            Self::None { filter } => write!(out, "--none {filter}"),
            Self::NoFinding { rules, filter } if filter.is_empty() => write!(out, "--no-finding {}", rules.join(",")),
            Self::NoFinding { rules, filter } => write!(out, "--no-finding {}={filter}", rules.join(",")),
            Self::Most { filter, percent, most } => {
                write!(out, "--max-p{percent} {filter}={}", Nanos(*most).to_string().replace(' ', ""))
            }
        }
    }
}
