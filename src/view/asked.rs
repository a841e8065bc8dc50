//! What servers are asked for the filter: which part goes where, how far they have come, what may be missing.

use super::format;
use super::pen::number;
use super::text;
use super::trace::many;
use crate::app::State;
use crate::model::{Asked, Progress, SearchState, SourceHealth, Timestamp};
use crate::query::{Query, chips, parse, spell_duration};

/// Stands before a condition that a server applies too.
pub(super) const THERE: &str = "⇡";

/// The servers that are asked for the filter in force.
pub(super) fn servers(state: &State) -> impl Iterator<Item = (&SourceHealth, &Asked)> {
    let asked = |source: &'_ SourceHealth| source.asked.as_deref().is_some_and(|asked| is_current(state, asked));
    state
        .health
        .sources
        .iter()
        .filter(move |source| asked(source))
        .filter_map(|source| Some((source, source.asked.as_deref()?)))
}

fn is_current(state: &State, asked: &Asked) -> bool {
    asked.filter == state.filter.query.text
}

/// What stands before this part of the filter: nothing where no server applies it, and how many where not all do.
pub(super) fn mark(state: &State, part: usize) -> String {
    let (there, all) = share(state, part);
    match there {
        0 => String::new(),
        _ if there == all => THERE.to_owned(),
        _ => format!("{THERE}{there}/{all}"),
    }
}

fn share(state: &State, part: usize) -> (usize, usize) {
    let there = servers(state).filter(|(_, asked)| asked.there.contains(&part)).count();
    (there, servers(state).count())
}

/// Where a part of the filter is applied, in words; nothing where no server is asked.
pub(super) fn place(state: &State, part: usize) -> Option<String> {
    let names = |there: bool| {
        let those = servers(state).filter(|(_, asked)| asked.there.contains(&part) == there);
        those.map(|(source, _)| text::visible(&source.name).into_owned()).collect::<Vec<_>>().join(", ")
    };
    let (there, all) = share(state, part);
    match (there, all) {
        (_, 0) => None,
        (0, _) => Some(format!("applied here only: {} is not asked for it", names(false))),
        (there, all) if there == all => Some(format!("{THERE} asked of {}, and applied again here", names(true))),
        _ => Some(format!("{THERE} asked of {}, and applied again here; not asked of {}", names(true), names(false))),
    }
}

/// How many traces of which time: `100 traces of the last 1h`.
pub(super) fn extent(asked: &Asked) -> String {
    let all = asked.state == SearchState::Complete && number(asked.progress.traces) > u64::from(asked.limit);
    let mut out = match asked {
        Asked { one: true, .. } => return "one trace".to_owned(),
        Asked { limit_assumed: true, .. } if all => "all traces".to_owned(),
        Asked { limit, limit_assumed: true, lookback: Some(_), .. } => format!("{limit} traces"),
        Asked { limit_assumed: true, .. } => "all traces".to_owned(),
        Asked { limit, .. } => format!("up to {limit} traces"),
    };
    if let Some(lookback) = asked.lookback {
        out.push_str(" of the last ");
        out.push_str(&spell_duration(lookback));
    }
    out
}

/// What may be missing, and why; nothing where the answer is whole.
pub(super) fn caveat(asked: &Asked, now: Timestamp) -> Option<String> {
    if !asked.is_partial() || asked.one {
        return None;
    }
    let mut out = match (asked.state, whole(asked, now)) {
        (SearchState::Stopped, Some(age)) => format!("stopped: of the time before the last {age} there may be more"),
        (SearchState::Stopped, None) => "stopped: there may be more".to_owned(),
        (_, Some(age)) => {
            format!("its limit came before our sort: of the time before the last {age} there may be more")
        }
        (_, None) => "its limit came before our sort: there may be more, also newer ones".to_owned(),
    };
    if asks_of_spans(asked) {
        out.push_str("; its conditions are per span");
    }
    Some(out)
}

/// How far back everything is known to have come.
fn whole(asked: &Asked, now: Timestamp) -> Option<String> {
    asked.whole_since().filter(|since| *since < now).map(|since| format::age(now.since(since)))
}

/// Whether more than times and a limit was asked of the server.
fn asks_of_spans(asked: &Asked) -> bool {
    let Ok(query) = parse(&asked.filter) else { return false };
    asked.there.iter().any(|part| query.is_about_spans(*part))
}

/// Which part is asked there, which is applied here.
pub(super) fn parts(asked: &Asked) -> String {
    let query = parse(&asked.filter).unwrap_or_default();
    let words = |list: &[usize]| {
        let text = |part: &usize| spelled(&query, *part);
        list.iter().filter_map(text).collect::<Vec<_>>().join(" ")
    };
    let mut out = String::new();
    for (who, list) in [("; asked there: ", &asked.there), ("; applied here: ", &asked.here)] {
        if !list.is_empty() {
            out.push_str(who);
            out.push_str(&words(list));
        }
    }
    out
}

fn spelled(query: &Query, part: usize) -> Option<String> {
    let typed = query.part_at(part).and_then(|(from, to)| query.text.get(from..to)).map(str::to_owned);
    typed.or_else(|| chips(query).into_iter().nth(part))
}

/// How far the search has come, while it takes several requests.
pub(super) fn progress(asked: &Asked) -> String {
    let progress = asked.progress;
    format!("{}, {} of the time to go", many(number(progress.traces), "trace"), many(number(progress.open), "part"))
}

/// What stands behind the conditions: a search that goes on, or what may be missing; of several servers the first.
pub(super) fn told(state: &State) -> String {
    let columns = state.viewport.columns;
    let name = |source: &SourceHealth| text::cut_end(&text::visible(&source.name), 16).into_owned();
    if let Some((source, asked)) = servers(state).find(|(_, asked)| asked.is_narrowing()) {
        let Progress { traces, open, .. } = asked.progress;
        let name = name(source);
        return match columns {
            0..140 => {
                format!("{name}: {}, {} to go, Esc stops", format::count(number(traces)), format::count(number(open)))
            }
            _ => format!("{name}: {}: Esc stops", progress(asked)),
        };
    }
    let mut partial = servers(state).filter_map(|(source, asked)| Some((source, asked, caveat(asked, state.now)?)));
    let Some((source, asked, caveat)) = partial.next() else { return String::new() };
    let name = name(source);
    let words = match (columns, asked.state, whole(asked, state.now)) {
        (160.., ..) => caveat,
        (_, SearchState::Stopped, _) => "stopped".to_owned(),
        (100.., _, Some(age)) => format!("whole for the last {age} only"),
        (_, _, Some(age)) => format!("the last {age} only"),
        (100.., _, None) => "limit came before our sort".to_owned(),
        (_, _, None) => "limit before sort".to_owned(),
    };
    let on = match (asked.can_go_on(), columns) {
        (false, _) => "",
        (true, 100..) => ": r searches on",
        (true, _) => ": r goes on",
    };
    format!("▲ {name}: {words}{on}")
}
