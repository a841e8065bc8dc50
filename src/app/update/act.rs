//! What each action does.

use std::sync::Arc;

use super::window::Step;
use super::{
    NOTICE, attribute, bar, baseline, chips, clause, compare, copy, detail, findings, heat, jump, link, list, page,
    palette, recall, save, say, sources, survey, trace, values, what_if,
};
use crate::app::{Action, Context, DetailFocus, Effect, Overlay, Screen, Sort, State, TraceScreen};

/// Does it, or says why it cannot be done here.
pub(super) fn act(state: &mut State, action: Action, out: &mut Vec<Effect>) {
    use Action as A;
    clause::before(state, action);
    match action {
        A::Quit => {
            state.quitting = true;
            out.push(Effect::Quit);
        }
        A::Help => state.overlay = Some(Overlay::Help { scroll: 0 }),
        A::Palette => palette::open(state),
        A::Filter => bar::begin(state, out),
        A::Back => back(state, out),
        A::ShowTraces => show(state, Screen::Traces, out),
        A::ShowTrace => show(state, Screen::Trace, out),
        A::ShowSql => show(state, Screen::Sql, out),
        A::ShowErrors => show(state, Screen::Errors, out),
        A::ShowServices => show(state, Screen::Services, out),
        A::ShowCompare => show(state, Screen::Compare, out),
        A::ShowHealth => show(state, Screen::Health, out),
        A::NextScreen => turn(state, true, out),
        A::PreviousScreen => turn(state, false, out),
        A::Up | A::Down | A::PageUp | A::PageDown | A::First | A::Last => {
            if let Some(step) = Step::of(action) {
                go(state, step);
            }
        }
        A::Open => open(state, out),
        A::Recall => recall::open(state),
        A::SaveFilter => recall::name(state),
        A::Chips => chips::open(state),
        A::Exclude if state.screen == Screen::Compare => compare::filter(state, true, out),
        A::Exclude => attribute::add(state, true, out),
        A::TimeMark => compare::mark(state),
        A::Compare if state.context() == Context::Heat => heat::compare(state, out),
        A::Compare => compare::next(state),
        A::HeatMap => heat::toggle(state),
        A::Earlier | A::Later | A::GrowEarlier | A::GrowLater | A::GrowUp | A::GrowDown => {
            let (by, grows) = heat::movement(action);
            heat::go(state, by, grows);
        }
        A::Brush => heat::extend(state),
        A::Values => values::open(state, out),
        A::Findings => findings::open(state, out),
        A::Language => {
            state.overlay = Some(Overlay::Language(Arc::default()));
            out.push(Effect::Samples);
        }
        A::Copy => copy::open(state, out),
        A::Page => page::open(state, out),
        A::Mark => save::mark(state),
        A::Save => save::open(state),
        A::Unmask => unmask(state),
        A::Theme => state.theme_flipped = !state.theme_flipped,
        A::Demo => demo(state, out),
        A::PauseSource | A::RetrySource | A::SearchOn | A::Servers => sources::act(state, action, out),
        A::Sort | A::Reverse | A::Follow | A::Pause | A::TogglePreview => on_list(state, action, out),
        _ if state.survey().is_some() => survey::act(state, action),
        _ => on_trace(state, action, out),
    }
}

fn on_list(state: &mut State, action: Action, out: &mut Vec<Effect>) {
    match action {
        Action::Sort | Action::Reverse if state.survey().is_some() => survey::sort(state, action == Action::Reverse),
        Action::Sort => list::next_sort(state, out),
        Action::Reverse => {
            let Sort { key, ascending } = state.list.sort;
            list::sort(state, Sort { key, ascending: !ascending }, out);
        }
        Action::Follow => list::toggle_follow(state, out),
        Action::Pause => list::toggle_pause(state, out),
        _ => state.list.preview_shown = !state.list.preview_shown,
    }
}

fn on_trace(state: &mut State, action: Action, out: &mut Vec<Effect>) {
    use Action as A;
    match action {
        A::Fold => trace::fold(state, out),
        A::Unfold => trace::unfold(state, out),
        A::FoldAll => trace::fold_all(state, out),
        A::UnfoldAll => trace::unfold_all(state, out),
        A::NextError => jump::to_error(state, true, out),
        A::PreviousError => jump::to_error(state, false, out),
        A::NextSlow => jump::to_slow(state, true, out),
        A::PreviousSlow => jump::to_slow(state, false, out),
        A::NextMatch => jump::to_match(state, true, out),
        A::PreviousMatch => jump::to_match(state, false, out),
        A::OnlyMatches => trace::toggle_alone(state, out),
        A::NextClause => clause::turn(state, true, out),
        A::PreviousClause => clause::turn(state, false, out),
        A::OnlyPath => trace::toggle_path(state, out),
        A::WhatIf => what_if::ask(state, out),
        A::AdjustClocks => trace::adjust_clocks(state, out),
        A::Zoom => trace::zoom(state),
        A::ZoomOut => trace::zoom_out(state),
        A::FocusDetail => detail::toggle_focus(state),
        A::DetailUp => detail::scroll(state, -1),
        A::DetailDown => detail::scroll(state, 1),
        A::Baseline => baseline::explain(state),
        A::FollowLink => link::follow(state, out),
        A::LinkBack => link::back(state, out),
        _ => {}
    }
}

fn open(state: &mut State, out: &mut Vec<Effect>) {
    if clause::jump(state, out) {
        return;
    }
    match state.context() {
        Context::Heat => heat::filter(state, out),
        Context::Trace => trace::toggle(state, out),
        Context::Detail => link::follow_chosen(state, out),
        Context::Sql | Context::Errors | Context::Services | Context::Compare => survey::open(state, out),
        _ => list::open(state, out),
    }
}

fn go(state: &mut State, step: Step) {
    match state.context() {
        Context::Traces | Context::Everywhere => list::go(state, step),
        Context::Heat => heat::step(state, step),
        Context::Trace => trace::go(state, step),
        Context::Detail => detail::go(state, step),
        Context::Sql | Context::Errors | Context::Services | Context::Compare => survey::go(state, step),
        Context::Health => sources::go(state, step),
    }
}

/// The first line shown of `lines` (0: not known) after a step.
pub(super) fn scrolled(scroll: usize, step: Step, height: u16, lines: u32) -> usize {
    /// More than any screen of text has, less than would take long to come back from.
    const UNKNOWN: usize = 1_000;
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    let most = if lines == 0 { UNKNOWN } else { lines.saturating_sub(usize::from(height)) };
    step.from(scroll.min(most), most + 1, height)
}

/// Shows a screen; the trace screen with the open trace, or else the selected one.
pub(super) fn show(state: &mut State, screen: Screen, out: &mut Vec<Effect>) {
    if screen == Screen::Trace && state.trace.is_none() {
        return list::open(state, out);
    }
    if state.screen == screen {
        return say(state, "this screen is shown already");
    }
    state.screen = screen;
    survey::shown(state, out);
}

/// Shows the next screen, or the one before.
pub(super) fn turn(state: &mut State, forward: bool, out: &mut Vec<Effect>) {
    let reachable = state.trace.is_some() || state.list.selected.is_some();
    let screens =
        [Screen::Traces, Screen::Trace, Screen::Sql, Screen::Errors, Screen::Services, Screen::Compare, Screen::Health];
    let at = screens.iter().position(|screen| *screen == state.screen).unwrap_or_default();
    let by = if forward { 1 } else { screens.len() - 1 };
    let mut to = (at + by) % screens.len();
    if screens[to] == Screen::Trace && !reachable {
        to = (to + by) % screens.len();
    }
    show(state, screens[to], out);
}

/// One step back: out of the detail, the search, the zoom, the link, the trace; on the list out of the filter.
fn back(state: &mut State, out: &mut Vec<Effect>) {
    // What goes on is ended before anything is taken away.
    if state.screen == Screen::Traces && sources::stop_searches(state, out) {
        return;
    }
    match state.screen {
        Screen::Sql | Screen::Errors | Screen::Services | Screen::Compare | Screen::Health => {
            if !survey::back(state) {
                state.screen = Screen::Traces;
            }
        }
        Screen::Traces if state.list.heat.is_some() => heat::back(state),
        Screen::Traces if !(state.filter.text.is_empty() && state.filter.off.is_empty()) => {
            bar::clear(state, out);
            say(state, "filter cleared");
        }
        Screen::Traces => say(state, "this is the first screen: q quits"),
        Screen::Trace => back_on_trace(state, out),
    }
}

fn back_on_trace(state: &mut State, out: &mut Vec<Effect>) {
    let searching = !state.find.text.is_empty();
    let found = |trace: &TraceScreen| trace.found.as_ref().is_some_and(|found| !found.by_filter);
    let Some(trace) = &mut state.trace else {
        state.screen = Screen::Traces;
        return;
    };
    if trace.clause.take().is_some() {
        return;
    }
    if trace.detail.focus == DetailFocus::Detail {
        trace.detail.focus = DetailFocus::Waterfall;
    } else if searching || found(trace) {
        bar::clear(state, out);
    } else if trace.alone {
        trace::toggle_alone(state, out);
    } else if trace.path {
        trace::toggle_path(state, out);
    } else if trace.zoom.is_some() {
        trace.zoom = None;
    } else if trace.back.is_empty() {
        state.screen = state.opened_from;
        survey::shown(state, out);
    } else {
        link::back(state, out);
    }
}

/// Plays the demo, or stops it. Among traces of the person's own only when asked twice: they could not be told apart.
fn demo(state: &mut State, out: &mut Vec<Effect>) {
    let asked = state.asked.demo_at.take().is_some_and(|at| state.now.since(at) < NOTICE);
    let alone = state.health.traces_held == 0 && state.list.rows.is_empty();
    if state.demo || asked || alone {
        return out.push(Effect::Demo(!state.demo));
    }
    state.asked.demo_at = Some(state.now);
    say(state, "the same again plays the demo among your traces");
}

fn unmask(state: &mut State) {
    state.unmasked = !state.unmasked;
    say(state, if state.unmasked { "secrets are shown as they are" } else { "secrets are masked" });
}
