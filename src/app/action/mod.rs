//! The one list of what a person can do: keymap, help, palette, footer, mouse, README and config read it.

use super::KeyPress;

mod table;

pub use table::ACTIONS;

/// Something a person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// End the program.
    Quit,
    /// Show the keys that work here.
    Help,
    /// Open the command palette.
    Palette,
    /// Edit the filter (on a trace: search in it).
    Filter,
    /// One step back: close what lies on top, clear the search, leave the trace, clear the filter.
    Back,
    /// Show the list of traces.
    ShowTraces,
    /// Show the open or selected trace.
    ShowTrace,
    /// Show the statements.
    ShowSql,
    /// Show the errors.
    ShowErrors,
    /// Show the services.
    ShowServices,
    /// Show the comparison.
    ShowCompare,
    /// Show health.
    ShowHealth,
    /// Show the next screen.
    NextScreen,
    /// Show the screen before.
    PreviousScreen,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Open the selected trace; on a waterfall fold or unfold; in the detail follow a link.
    Open,
    /// Order the list by the next of time, duration, spans, errors.
    Sort,
    /// Reverse the order of the list.
    Reverse,
    /// Keep the newest trace selected.
    Follow,
    /// Hold the list still; what arrives is kept and counted.
    Pause,
    /// Show or hide the preview.
    TogglePreview,
    /// Fold, or go to the parent.
    Fold,
    /// Unfold, or go to the first child.
    Unfold,
    /// Fold everything below the roots.
    FoldAll,
    /// Unfold everything.
    UnfoldAll,
    /// To the next failed span (first: the one that failed first).
    NextError,
    /// To the failed span before.
    PreviousError,
    /// To the next slow database span.
    NextSlow,
    /// To the slow database span before.
    PreviousSlow,
    /// To the next span that matches the search.
    NextMatch,
    /// To the match before.
    PreviousMatch,
    /// Show only the spans that match and those above them, or everything again.
    OnlyMatches,
    /// Choose the next clause of the verdict.
    NextClause,
    /// Choose the clause before.
    PreviousClause,
    /// Show only what is on the critical path, or everything again.
    OnlyPath,
    /// Say what the trace would gain if the selected span took no time, or half of it.
    WhatIf,
    /// Correct the times where clocks run apart, or show them as sent.
    AdjustClocks,
    /// Show only the stretch of time of the selected span.
    Zoom,
    /// Show all of the time.
    ZoomOut,
    /// Move the keys to the detail pane, or back to the waterfall.
    FocusDetail,
    /// Scroll the detail a line up.
    DetailUp,
    /// Scroll the detail a line down.
    DetailDown,
    /// Say how the selected span compares with all others of its kind.
    Baseline,
    /// Follow the selected span's (first or chosen) link to its trace.
    FollowLink,
    /// Back to where a link was followed.
    LinkBack,
    /// Find an earlier or a saved filter.
    Recall,
    /// Save the filter under a name.
    SaveFilter,
    /// Move the keys to the filter's conditions.
    Chips,
    /// Show the next example of the selected error.
    NextExample,
    /// Show the example before.
    PreviousExample,
    /// Show the map of services, or who calls the selected one.
    Map,
    /// Leave out what has the selected attribute's value.
    Exclude,
    /// Show the values of an attribute.
    Values,
    /// Show what was found, in the open trace or in all.
    Findings,
    /// Show the filter language.
    Language,
    /// Copy something: ids, statement, attribute.
    Copy,
    /// Mark the selected trace, or take its mark away.
    Mark,
    /// Part time into before and after, now.
    TimeMark,
    /// Show latency over time, or the list alone again.
    HeatMap,
    /// The cursor of the heat map a column earlier.
    Earlier,
    /// The cursor of the heat map a column later.
    Later,
    /// The brush a column earlier.
    GrowEarlier,
    /// The brush a column later.
    GrowLater,
    /// The brush a row up.
    GrowUp,
    /// The brush a row down.
    GrowDown,
    /// Arrows draw the brush, or no longer.
    Brush,
    /// Compare something else, or what is inside the brush.
    Compare,
    /// Show the trace on the page of the server where it lives.
    Page,
    /// Save traces to a file.
    Save,
    /// Show secrets as they are, or mask them again.
    Unmask,
    /// Light or dark.
    Theme,
    /// Play the demo, or stop it.
    Demo,
    /// Pause the selected source, or let it go on.
    PauseSource,
    /// Have the selected source try again at once.
    RetrySource,
    /// Have servers go on with searches that were left off.
    SearchOn,
    /// Ask a server of the settings file, or leave it.
    Servers,
}

/// Where an action works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// On every screen.
    Everywhere,
    /// On the list of traces.
    Traces,
    /// On the list of traces, in the heat map.
    Heat,
    /// On a trace, in the waterfall.
    Trace,
    /// On a trace, in the detail pane.
    Detail,
    /// On the statements.
    Sql,
    /// On the errors.
    Errors,
    /// On the services.
    Services,
    /// On the comparison.
    Compare,
    /// On the health screen.
    Health,
}

/// What is known of an action.
#[derive(Clone, Copy, Debug)]
pub struct ActionInfo {
    /// The action.
    pub action: Action,
    /// Its name in the config file and in the palette: `next-error`.
    pub name: &'static str,
    /// What it does, in a few words, for help and palette.
    pub help: &'static str,
    /// One word for the footer; empty: never in the footer.
    pub hint: &'static str,
    /// Where it works.
    pub contexts: &'static [Context],
    /// Its keys by default, the first is the one shown.
    pub keys: &'static [KeyPress],
}

impl ActionInfo {
    /// What is known of `action`. A test holds that each has its row.
    #[must_use]
    pub fn of(action: Action) -> &'static Self {
        ACTIONS.iter().find(|info| info.action == action).unwrap_or(&ACTIONS[0])
    }

    /// The action of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|info| info.name == name)
    }

    /// Whether it works in `context`.
    #[must_use]
    pub fn works_in(&self, context: Context) -> bool {
        self.contexts.iter().any(|own| *own == Context::Everywhere || *own == context)
    }

    /// The word for the footer in `context`: rows are traces on the list and spans on a trace.
    #[must_use]
    pub fn hint_in(&self, context: Context) -> &'static str {
        match (self.action, context) {
            (Action::Up | Action::Down, Context::Trace) => "span",
            (Action::Up | Action::Down, Context::Detail) => "item",
            (Action::Up | Action::Down, Context::Sql) => "statement",
            (Action::Up | Action::Down, Context::Errors) => "error",
            (Action::Up | Action::Down, Context::Services) => "service",
            (Action::Up | Action::Down, Context::Compare) => "row",
            (Action::Up | Action::Down, Context::Health) => "source",
            (Action::Up | Action::Down, Context::Heat) => "slower",
            (Action::Open, Context::Heat) => "filter inside",
            (Action::Compare, Context::Heat) => "compare inside",
            (Action::HeatMap, Context::Heat) => "list",
            (Action::Open, Context::Trace) => "fold",
            (Action::Unfold, Context::Services) => "operations",
            (Action::Open, Context::Sql) => "its calls",
            (Action::Open, Context::Detail | Context::Services) => "filter by it",
            (Action::Filter, Context::Trace | Context::Detail) => "search",
            (Action::FocusDetail, Context::Detail) => "waterfall",
            _ => self.hint,
        }
    }
}

/// What the footer offers in `context`, the most useful first. [`Action::Up`] stands for both directions.
#[must_use]
pub fn footer(context: Context) -> &'static [Action] {
    use Action as A;
    match context {
        Context::Traces => {
            &[A::Up, A::Open, A::Filter, A::Sort, A::Follow, A::Pause, A::Copy, A::Palette, A::Help, A::Quit]
        }
        Context::Heat => {
            &[A::Earlier, A::Brush, A::Open, A::Compare, A::TimeMark, A::HeatMap, A::Filter, A::Help, A::Back]
        }
        Context::Trace => &[
            A::Up,
            A::Open,
            A::NextError,
            A::NextSlow,
            A::OnlyPath,
            A::NextClause,
            A::Filter,
            A::FocusDetail,
            A::Copy,
            A::Zoom,
            A::Help,
            A::Back,
        ],
        Context::Detail => {
            &[A::Up, A::DetailDown, A::Open, A::Exclude, A::Values, A::Copy, A::Unmask, A::Help, A::Back]
        }
        Context::Sql => &[A::Up, A::Open, A::Sort, A::Copy, A::Filter, A::Palette, A::Help, A::Back],
        Context::Errors => {
            &[A::Up, A::Open, A::NextExample, A::DetailDown, A::Sort, A::Filter, A::Copy, A::Palette, A::Help, A::Back]
        }
        Context::Services => {
            &[A::Up, A::Open, A::Unfold, A::Map, A::Sort, A::DetailDown, A::Filter, A::Palette, A::Help, A::Back]
        }
        Context::Compare => {
            &[A::Up, A::Open, A::Compare, A::Exclude, A::Sort, A::TimeMark, A::Filter, A::Palette, A::Help, A::Back]
        }
        Context::Health => {
            &[A::Up, A::PauseSource, A::RetrySource, A::Servers, A::Copy, A::Palette, A::Help, A::Back, A::Quit]
        }
        Context::Everywhere => &[A::Help, A::Palette, A::Quit],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const EVERY: [Context; 9] = [
        Context::Heat,
        Context::Traces,
        Context::Trace,
        Context::Detail,
        Context::Sql,
        Context::Errors,
        Context::Services,
        Context::Compare,
        Context::Health,
    ];

    /// Must name every variant: a new one does not compile until it is listed here, and then the test asks for its row.
    #[rustfmt::skip]
    fn every_action() -> Vec<Action> {
        use Action as A;
        let all = [
            A::Quit, A::Help, A::Palette, A::Filter, A::Back, A::ShowTraces, A::ShowTrace, A::ShowSql, A::ShowErrors, A::ShowServices, A::ShowCompare, A::ShowHealth, A::NextScreen,
            A::PreviousScreen, A::Up, A::Down, A::PageUp, A::PageDown, A::First, A::Last, A::Open, A::Sort, A::Reverse,
            A::Follow, A::Pause, A::TogglePreview, A::Fold, A::Unfold, A::FoldAll, A::UnfoldAll, A::NextError,
    A::AdjustClocks, A::Baseline, A::Brush, A::Chips, A::Compare, A::Copy, A::Demo, A::DetailDown, A::DetailUp, A::Earlier, A::Exclude, A::Findings, A::FocusDetail, A::FollowLink, A::GrowDown, A::GrowEarlier, A::GrowLater, A::GrowUp, A::HeatMap, A::Language, A::Later, A::LinkBack, A::Map, A::Mark, A::NextClause, A::NextExample, A::NextMatch, A::NextSlow, A::OnlyMatches, A::OnlyPath, A::Page, A::PauseSource, A::PreviousClause, A::PreviousError, A::PreviousExample, A::PreviousMatch, A::PreviousSlow, A::Recall, A::RetrySource, A::Save, A::SaveFilter, A::SearchOn, A::Servers, A::Theme, A::TimeMark, A::Unmask, A::Values, A::WhatIf, A::Zoom, A::ZoomOut,
        ];
        for action in all {
            match action {
                A::Quit | A::Help | A::Palette | A::Filter | A::Back | A::ShowTraces | A::ShowTrace | A::ShowSql | A::ShowErrors | A::ShowServices | A::ShowCompare | A::ShowHealth
                | A::NextScreen | A::PreviousScreen | A::Up | A::Down | A::PageUp | A::PageDown | A::First | A::Last
                | A::Open | A::Sort | A::Reverse | A::Follow | A::Pause | A::TogglePreview | A::Fold | A::Unfold
                | A::FoldAll | A::UnfoldAll | A::NextError | A::PreviousError | A::NextSlow | A::PreviousSlow
                | A::NextMatch | A::PreviousMatch | A::OnlyMatches | A::NextClause | A::PreviousClause | A::OnlyPath | A::WhatIf | A::AdjustClocks | A::Zoom | A::ZoomOut | A::FocusDetail | A::DetailUp
                | A::DetailDown | A::Baseline | A::FollowLink | A::LinkBack | A::Recall | A::SaveFilter | A::Chips | A::Exclude | A::NextExample | A::PreviousExample | A::Map | A::Values
                | A::Language | A::SearchOn | A::Copy | A::Unmask | A::Theme | A::PauseSource | A::RetrySource | A::Servers | A::Demo | A::Mark | A::TimeMark | A::HeatMap | A::Earlier | A::Later | A::GrowEarlier | A::GrowLater | A::GrowUp | A::GrowDown | A::Brush | A::Compare | A::Save | A::Page | A::Findings => {}
            }
        }
        all.to_vec()
    }

    #[test]
    fn every_action_is_in_the_table_once_with_a_key_and_a_help_text() {
        for action in every_action() {
            let rows: Vec<_> = ACTIONS.iter().filter(|info| info.action == action).collect();
            assert_eq!(rows.len(), 1, "{action:?}");
            assert!(!rows[0].keys.is_empty() && !rows[0].help.is_empty() && !rows[0].contexts.is_empty(), "{action:?}");
        }
        assert_eq!(ACTIONS.len(), every_action().len());
        let names: HashSet<_> = ACTIONS.iter().map(|info| info.name).collect();
        assert_eq!(names.len(), ACTIONS.len());
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    }

    #[test]
    fn no_key_does_two_things_in_one_place() {
        for context in EVERY {
            let mut taken = HashSet::new();
            for info in ACTIONS.iter().filter(|info| info.works_in(context)) {
                for key in info.keys {
                    assert!(taken.insert(*key), "{key} is taken twice in {context:?}, once by {}", info.name);
                }
            }
        }
    }

    #[test]
    fn the_footer_offers_only_what_works_there() {
        for context in EVERY {
            for action in footer(context) {
                let info = ActionInfo::of(*action);
                assert!(info.works_in(context) && !info.hint_in(context).is_empty(), "{action:?} in {context:?}");
            }
        }
    }
}
