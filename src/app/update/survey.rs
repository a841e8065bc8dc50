//! Surveys: asked for when their screen is shown and what they were made from has changed; what they say, taken in.

use std::sync::Arc;

use super::window::Step;
use super::{compare, errors, findings, say, services, sql};
use crate::app::{Action, Basis, Effect, Report, State, SurveyOf, Surveyed};
use crate::model::Nanos;

/// A survey is not made again sooner than this after the last one, nor than [`REST`] times as long as that took.
const APART: Nanos = Nanos::from_millis(500);
/// So that a survey of much takes a share of one core only.
const REST: u64 = 4;

/// Another filter is set, or the screen is shown for the first time: asks at once.
pub(super) fn anew(state: &mut State, out: &mut Vec<Effect>) {
    for of in [SurveyOf::Sql, SurveyOf::Errors, SurveyOf::Services, SurveyOf::Compare, SurveyOf::Findings] {
        state.progress_mut(of).stale = true;
    }
    shown(state, out);
}

/// Asks for the survey of the screen shown where what it says is of another filter, or nothing yet.
pub(super) fn shown(state: &mut State, out: &mut Vec<Effect>) {
    if let Some(of) = state.survey()
        && state.progress(of).stale
    {
        ask(state, of, out);
    }
}

/// The index stands at `revision`: asks for the survey of the screen shown again where it was made from another.
pub(super) fn tick(state: &mut State, revision: u64, out: &mut Vec<Effect>) {
    let Some(of) = state.survey() else { return };
    let progress = state.progress(of);
    let rest = APART.0.max(progress.took.0.saturating_mul(REST));
    let rested = state.now.since(progress.asked_at).0 >= rest.saturating_add(progress.took.0);
    if !progress.running && (progress.stale || (progress.revision != revision && rested && !state.list.paused)) {
        ask(state, of, out);
    }
}

pub(super) fn ask(state: &mut State, of: SurveyOf, out: &mut Vec<Effect>) {
    let (now, mut query) = (state.now, Arc::clone(&state.filter.query));
    let compare = state.compare.asked.clone().filter(|_| of == SurveyOf::Compare);
    match compare.as_ref().map(|ask| &ask.basis) {
        None if of == SurveyOf::Compare => return,
        // What the filter finds is compared with all else that is held.
        Some(Basis::Filter(_)) => query = Arc::default(),
        _ => {}
    }
    state.asked.surveys += 1;
    let generation = state.asked.surveys;
    let progress = state.progress_mut(of);
    progress.generation = generation;
    (progress.running, progress.stale, progress.share) = (true, false, 0.0);
    progress.asked_at = now;
    out.push(Effect::Survey { generation, query, of, compare });
}

/// A survey came back.
pub(super) fn take(state: &mut State, surveyed: Surveyed) {
    let Surveyed { generation, revision, share, left_out, report } = surveyed;
    let of = match &report {
        Report::Sql(_) => SurveyOf::Sql,
        Report::Errors(_) => SurveyOf::Errors,
        Report::Services(_) => SurveyOf::Services,
        Report::Compare(_) => SurveyOf::Compare,
        Report::Findings(_) => SurveyOf::Findings,
    };
    let now = state.now;
    let progress = state.progress_mut(of);
    if progress.generation != generation {
        return;
    }
    (progress.share, progress.left_out, progress.revision) = (share, left_out, revision);
    if share >= 1.0 {
        progress.running = false;
        progress.took = now.since(progress.asked_at);
    }
    match report {
        Report::Sql(report) => sql::take(state, report),
        Report::Errors(report) => errors::take(state, report),
        Report::Services(report) => services::take(state, report),
        Report::Compare(report) => compare::take(state, report),
        Report::Findings(report) => findings::take(state, report),
    }
}

/// Says that there is nothing to choose from; as long as that is not known, that it is being read.
pub(super) fn nothing(state: &mut State, otherwise: &'static str) {
    let reading =
        state.survey().map(|of| state.progress(of)).is_some_and(|progress| progress.running || progress.stale);
    say(state, if reading { "it is being read" } else { otherwise });
}

/// One step on the screen shown.
pub(super) fn go(state: &mut State, step: Step) {
    match state.survey() {
        Some(SurveyOf::Sql) => sql::go(state, step),
        Some(SurveyOf::Errors) => errors::go(state, step),
        Some(SurveyOf::Services) => services::go(state, step),
        Some(SurveyOf::Compare) => compare::go(state, step),
        None | Some(SurveyOf::Findings) => {}
    }
}

/// Another order of the screen shown, or (`turn`) the same the other way round.
pub(super) fn sort(state: &mut State, turn: bool) {
    match state.survey() {
        Some(SurveyOf::Errors) => errors::sort(state, turn),
        Some(SurveyOf::Services) => services::sort(state, turn),
        Some(SurveyOf::Sql) => sql::sort(state, turn),
        Some(SurveyOf::Compare) => compare::sort(state, turn),
        Some(SurveyOf::Findings) | None => {}
    }
}

/// What only some of these screens can do.
pub(super) fn act(state: &mut State, action: Action) {
    match (state.survey(), action) {
        (Some(SurveyOf::Errors), Action::NextExample) => errors::turn(state, 1),
        (Some(SurveyOf::Errors), Action::PreviousExample) => errors::turn(state, -1),
        (Some(SurveyOf::Errors), Action::DetailDown) => errors::scroll(state, 1),
        (Some(SurveyOf::Errors), Action::DetailUp) => errors::scroll(state, -1),
        (Some(SurveyOf::Services), Action::Unfold) => services::fold(state, true),
        (Some(SurveyOf::Services), Action::Fold) => services::fold(state, false),
        (Some(SurveyOf::Services), Action::UnfoldAll) => services::fold_all(state, true),
        (Some(SurveyOf::Services), Action::FoldAll) => services::fold_all(state, false),
        (Some(SurveyOf::Services), Action::Map) => services::toggle_map(state),
        (Some(SurveyOf::Services), Action::DetailDown) => services::scroll(state, 1),
        (Some(SurveyOf::Services), Action::DetailUp) => services::scroll(state, -1),
        _ => {}
    }
}

/// The row at `index` of the screen shown was clicked.
pub(super) fn click(state: &mut State, index: usize, twice: bool, out: &mut Vec<Effect>) {
    match state.survey() {
        Some(SurveyOf::Errors) => errors::select(state, index),
        Some(SurveyOf::Services) => services::select(state, index),
        Some(SurveyOf::Sql) => sql::select(state, index),
        Some(SurveyOf::Compare | SurveyOf::Findings) | None => return,
    }
    if twice {
        open(state, out);
    }
}

/// Esc on the screen shown: whether there was something to go back from.
pub(super) fn back(state: &mut State) -> bool {
    state.survey() == Some(SurveyOf::Sql) && sql::back(state)
}

/// Enter on the screen shown.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    match state.survey() {
        Some(SurveyOf::Sql) => sql::open(state, out),
        Some(SurveyOf::Errors) => errors::open(state, out),
        Some(SurveyOf::Services) => services::open(state, out),
        Some(SurveyOf::Compare) => compare::open(state, out),
        None | Some(SurveyOf::Findings) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Screen;

    #[test]
    fn a_key_before_the_first_answer_does_not_say_that_there_is_nothing() {
        for (screen, of, nothing) in [
            (Screen::Errors, SurveyOf::Errors, "there is no error"),
            (Screen::Services, SurveyOf::Services, "there is no service"),
            (Screen::Sql, SurveyOf::Sql, "there is no statement"),
        ] {
            let mut state = State { screen, ..State::new(crate::app::Settings::default()) };
            ask(&mut state, of, &mut Vec::new());
            go(&mut state, Step::Rows(1));
            let said = |state: &State| state.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
            assert_eq!(said(&state), "it is being read");
            state.progress_mut(of).running = false;
            go(&mut state, Step::Rows(1));
            assert_eq!(said(&state), nothing);
        }
    }
}
