//! The one list of what a person can do: keymap, help, palette, footer, mouse, README and config read it.

use super::{Key, KeyPress};

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
    /// Follow the selected span's (first or chosen) link to its trace.
    FollowLink,
    /// Back to where a link was followed.
    LinkBack,
    /// Copy something: ids, statement, attribute.
    Copy,
    /// Show secrets as they are, or mask them again.
    Unmask,
    /// Light or dark.
    Theme,
    /// Play the demo, or stop it.
    Demo,
}

/// Where an action works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// On every screen.
    Everywhere,
    /// On the list of traces.
    Traces,
    /// On a trace, in the waterfall.
    Trace,
    /// On a trace, in the detail pane.
    Detail,
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

const fn char(key: char) -> KeyPress {
    KeyPress { key: Key::Char(key), ctrl: false, alt: false, shift: false }
}

/// Every action, in the order help lists them.
pub const ACTIONS: &[ActionInfo] = &[ActionInfo {
    action: Action::Quit,
    name: "quit",
    help: "end the program",
    hint: "quit",
    contexts: &[Context::Everywhere],
    keys: &[char('q')],
}];
