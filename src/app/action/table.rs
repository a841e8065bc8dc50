//! The table itself.

use super::{Action, ActionInfo, Context};
use crate::app::{Key, KeyPress};

const EVERYWHERE: &[Context] = &[Context::Everywhere];
const TRACES: &[Context] = &[Context::Traces];
const TRACE: &[Context] = &[Context::Trace, Context::Detail];
/// Where rows have an order.
const ORDERED: &[Context] = &[Context::Traces, Context::Sql, Context::Errors, Context::Services, Context::Compare];
const HEALTH: &[Context] = &[Context::Health];
const COMPARE: &[Context] = &[Context::Compare, Context::Heat];
const LIST: &[Context] = &[Context::Traces, Context::Heat];
const HEAT: &[Context] = &[Context::Heat];
const FOLDS: &[Context] = &[Context::Trace, Context::Services];
const SCROLLS: &[Context] = &[Context::Trace, Context::Detail, Context::Errors, Context::Services];

const OPENS: &[Context] = &[
    Context::Traces,
    Context::Heat,
    Context::Trace,
    Context::Detail,
    Context::Sql,
    Context::Errors,
    Context::Services,
    Context::Compare,
];

/// Where Tab goes from screen to screen: on a trace it goes through the verdict.
const TABBED: &[Context] =
    &[Context::Traces, Context::Sql, Context::Errors, Context::Services, Context::Compare, Context::Health];

const BACK_TAB: KeyPress = KeyPress { key: Key::Tab, ctrl: false, alt: false, shift: true };

const fn key(key: Key) -> KeyPress {
    KeyPress { key, ctrl: false, alt: false, shift: false }
}

const fn char(letter: char) -> KeyPress {
    key(Key::Char(letter))
}

const fn shift(key: Key) -> KeyPress {
    KeyPress { key, ctrl: false, alt: false, shift: true }
}

const fn ctrl(letter: char) -> KeyPress {
    KeyPress { key: Key::Char(letter), ctrl: true, alt: false, shift: false }
}

/// A row: name, help and hint, where it works, by which keys.
const fn row(
    action: Action,
    (name, help, hint): (&'static str, &'static str, &'static str),
    contexts: &'static [Context],
    keys: &'static [KeyPress],
) -> ActionInfo {
    ActionInfo { action, name, help, hint, contexts, keys }
}

/// Every action, in the order help lists them.
pub const ACTIONS: &[ActionInfo] = &[
    row(Action::Up, ("up", "one row up", "trace"), EVERYWHERE, &[key(Key::Up), char('k')]),
    row(Action::Down, ("down", "one row down", "trace"), EVERYWHERE, &[key(Key::Down), char('j')]),
    row(Action::PageUp, ("page-up", "one page up", ""), EVERYWHERE, &[key(Key::PageUp), ctrl('b'), ctrl('u')]),
    row(Action::PageDown, ("page-down", "one page down", ""), EVERYWHERE, &[key(Key::PageDown), ctrl('f'), ctrl('d')]),
    row(Action::First, ("first", "to the first row", ""), EVERYWHERE, &[char('g'), key(Key::Home)]),
    row(Action::Last, ("last", "to the last row", ""), EVERYWHERE, &[char('G'), key(Key::End)]),
    row(
        Action::Open,
        ("open", "open the trace; fold or unfold; filter by an attribute or follow a link", "open"),
        OPENS,
        &[key(Key::Enter)],
    ),
    row(Action::Back, ("back", "one step back", "back"), EVERYWHERE, &[key(Key::Esc)]),
    row(Action::Filter, ("filter", "edit the filter; on a trace: search in it", "filter"), EVERYWHERE, &[char('/')]),
    row(Action::Recall, ("recall", "find an earlier or a saved filter", ""), EVERYWHERE, &[ctrl('r')]),
    row(Action::SaveFilter, ("save-filter", "save the filter under a name", ""), EVERYWHERE, &[ctrl('s')]),
    row(Action::Language, ("language", "the filter language on one screen", ""), EVERYWHERE, &[key(Key::Function(1))]),
    row(Action::Palette, ("commands", "find a command by name", "all"), EVERYWHERE, &[char(':')]),
    row(Action::Help, ("help", "show the keys that work here", "help"), EVERYWHERE, &[char('?')]),
    row(Action::ShowTraces, ("show-traces", "the list of traces", ""), EVERYWHERE, &[char('1')]),
    row(Action::ShowTrace, ("show-trace", "the open or the selected trace", ""), EVERYWHERE, &[char('2')]),
    row(Action::ShowSql, ("show-sql", "the statements, ranked by cost", ""), EVERYWHERE, &[char('3')]),
    row(Action::ShowErrors, ("show-errors", "the errors, grouped", ""), EVERYWHERE, &[char('4')]),
    row(Action::ShowServices, ("show-services", "the services and their operations", ""), EVERYWHERE, &[char('5')]),
    row(Action::ShowCompare, ("show-compare", "what differs between two sets of traces", ""), EVERYWHERE, &[char('6')]),
    row(Action::ShowHealth, ("show-health", "sources, losses and memory", ""), EVERYWHERE, &[char('8')]),
    row(Action::NextScreen, ("next-screen", "the next screen", ""), TABBED, &[key(Key::Tab)]),
    row(Action::PreviousScreen, ("previous-screen", "the screen before", ""), TABBED, &[BACK_TAB]),
    row(Action::Sort, ("sort", "order by the next column", "sort"), ORDERED, &[char('s')]),
    row(Action::Reverse, ("reverse", "turn the order round", ""), ORDERED, &[char('S')]),
    row(Action::Follow, ("follow", "keep the newest trace selected", "follow"), TRACES, &[char('f')]),
    row(
        Action::Pause,
        ("pause", "hold the list still; what arrives is kept and counted", "pause"),
        TRACES,
        &[char(' ')],
    ),
    row(Action::TogglePreview, ("preview", "show or hide the preview", ""), TRACES, &[char('v')]),
    row(
        Action::Page,
        ("page", "show the trace on the page of the server where it lives; its link is copied", "page"),
        &[Context::Traces, Context::Trace, Context::Detail],
        &[char('o')],
    ),
    row(
        Action::Mark,
        ("mark", "mark the trace, or take its mark away: what is marked is saved and compared together", "mark"),
        TRACES,
        &[char('x')],
    ),
    row(
        Action::TimeMark,
        ("time-mark", "part time here: what comes after is compared with what was before", "mark time"),
        EVERYWHERE,
        &[char('m')],
    ),
    row(
        Action::Compare,
        ("compare", "compare the next of what can be compared, or what is inside the box", "other"),
        COMPARE,
        &[char('c')],
    ),
    row(Action::HeatMap, ("heat-map", "latency over time, or the list alone again", ""), LIST, &[char('L')]),
    row(Action::Earlier, ("earlier", "a column earlier", "move"), HEAT, &[key(Key::Left), char('h')]),
    row(Action::Later, ("later", "a column later", "move"), HEAT, &[key(Key::Right), char('l')]),
    row(Action::GrowEarlier, ("grow-earlier", "the box a column earlier", ""), HEAT, &[shift(Key::Left), char('H')]),
    row(Action::GrowLater, ("grow-later", "the box a column later", ""), HEAT, &[shift(Key::Right)]),
    row(Action::GrowUp, ("grow-up", "the box a row up", ""), HEAT, &[shift(Key::Up), char('K')]),
    row(Action::GrowDown, ("grow-down", "the box a row down", ""), HEAT, &[shift(Key::Down), char('J')]),
    row(Action::Brush, ("brush", "draw a box with the arrows, or no longer", "box"), HEAT, &[char('v')]),
    row(
        Action::Chips,
        ("conditions", "switch single conditions of the filter off and on", "conditions"),
        TRACES,
        &[char('c')],
    ),
    row(
        Action::Values,
        ("values", "the values of an attribute: count, errors, p95", "values"),
        &[Context::Traces, Context::Trace, Context::Detail],
        &[char('F'), ctrl('t')],
    ),
    row(
        Action::Findings,
        ("findings", "what was found: N+1, gaps, retries and the like, of this trace or of all", "findings"),
        &[Context::Traces, Context::Trace, Context::Detail],
        &[char('i')],
    ),
    row(
        Action::NextExample,
        ("next-example", "the next example of the error", "example"),
        &[Context::Errors],
        &[key(Key::Right), char('l')],
    ),
    row(
        Action::PreviousExample,
        ("previous-example", "the example before", ""),
        &[Context::Errors],
        &[key(Key::Left), char('h')],
    ),
    row(
        Action::Map,
        ("map", "show the map of services, or who calls the selected one", "map"),
        &[Context::Services],
        &[char('M')],
    ),
    row(
        Action::Exclude,
        ("exclude", "leave out what has this attribute's value", "exclude"),
        &[Context::Detail, Context::Compare],
        &[char('-')],
    ),
    row(
        Action::Demo,
        ("demo", "play the demo, or stop it", "demo"),
        &[Context::Traces, Context::Health],
        &[char('d'), char('D')],
    ),
    row(
        Action::PauseSource,
        ("pause-source", "pause the selected source, or let it go on", "pause"),
        HEALTH,
        &[char(' '), char('p')],
    ),
    row(
        Action::RetrySource,
        ("retry-source", "have the selected source try again at once", "retry"),
        HEALTH,
        &[char('r')],
    ),
    row(
        Action::SearchOn,
        ("search-on", "have servers search on where their limit came first, or the search was stopped", "search on"),
        &[Context::Traces],
        &[char('r')],
    ),
    row(
        Action::Servers,
        ("servers", "ask a server of the settings file, or leave it", "servers"),
        &[Context::Traces, Context::Health],
        &[char('C')],
    ),
    row(Action::Fold, ("fold", "fold, or go to the parent", ""), FOLDS, &[key(Key::Left), char('h')]),
    row(Action::Unfold, ("unfold", "unfold, or go to the first child", ""), FOLDS, &[key(Key::Right), char('l')]),
    row(Action::FoldAll, ("fold-all", "fold everything below the roots", ""), FOLDS, &[char('[')]),
    row(Action::UnfoldAll, ("unfold-all", "unfold everything", ""), FOLDS, &[char(']')]),
    row(
        Action::NextError,
        ("next-error", "to the next failed span, first the one that failed first", "error"),
        TRACE,
        &[char('e')],
    ),
    row(Action::PreviousError, ("previous-error", "to the failed span before", ""), TRACE, &[char('E')]),
    row(Action::NextSlow, ("next-slow", "to the next slow database span", "slow"), TRACE, &[char('s')]),
    row(Action::PreviousSlow, ("previous-slow", "to the slow database span before", ""), TRACE, &[char('S')]),
    row(
        Action::NextMatch,
        ("next-match", "to the next span that matches the search or the filter", ""),
        TRACE,
        &[char('n')],
    ),
    row(Action::PreviousMatch, ("previous-match", "to the match before", ""), TRACE, &[char('N')]),
    row(Action::OnlyMatches, ("only-matches", "hide what does not match, or show it again", ""), TRACE, &[char('H')]),
    row(
        Action::NextClause,
        (
            "next-clause",
            "choose the next clause of the verdict: enter goes to its proof; after the last, the next screen",
            "verdict",
        ),
        TRACE,
        &[key(Key::Tab)],
    ),
    row(Action::PreviousClause, ("previous-clause", "choose the clause before", ""), TRACE, &[BACK_TAB]),
    row(
        Action::OnlyPath,
        ("critical-path", "hide what is not on the critical path, or show it again", "path"),
        TRACE,
        &[char('p')],
    ),
    row(
        Action::WhatIf,
        ("what-if", "what the trace would gain if the span took no time, or half of it", "what if"),
        TRACE,
        &[char('w')],
    ),
    row(
        Action::AdjustClocks,
        ("adjust-clocks", "correct the times where clocks run apart, or show them as sent", ""),
        TRACE,
        &[char('a')],
    ),
    row(Action::Zoom, ("zoom", "show only the time of the selected span", "zoom"), TRACE, &[char('z')]),
    row(Action::ZoomOut, ("zoom-out", "show all of the time", ""), TRACE, &[char('Z')]),
    row(Action::FocusDetail, ("detail", "move the keys to the detail, or back", "detail"), TRACE, &[char('d')]),
    row(Action::DetailDown, ("detail-down", "scroll the detail a line down", "scroll"), SCROLLS, &[char('J')]),
    row(Action::DetailUp, ("detail-up", "scroll the detail a line up", ""), SCROLLS, &[char('K')]),
    row(Action::Baseline, ("baseline", "how long spans like this one usually take", ""), TRACE, &[char('b')]),
    row(Action::FollowLink, ("follow-link", "follow the link of the span to its trace", ""), TRACE, &[char('L')]),
    row(Action::LinkBack, ("link-back", "back to where a link was followed", ""), TRACE, &[char('B')]),
    row(Action::Copy, ("copy", "copy an id, a statement, an attribute", "copy"), EVERYWHERE, &[char('y')]),
    row(
        Action::Save,
        ("save", "save traces to a file: OTLP, Jaeger, Perfetto, Markdown, CSV", "save"),
        EVERYWHERE,
        &[char('W')],
    ),
    row(Action::Unmask, ("unmask", "show secrets as they are, or mask them again", "unmask"), EVERYWHERE, &[char('u')]),
    row(Action::Theme, ("theme", "light or dark", ""), EVERYWHERE, &[char('t')]),
    row(Action::Quit, ("quit", "end the program", "quit"), EVERYWHERE, &[char('q')]),
];
