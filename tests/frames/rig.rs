//! A program without index: keys in, frames out through the real screen, bytes counted.

use std::sync::Arc;

use tracefall::analysis::RowKey;
use tracefall::app::{self, Answer, Effect, Input, Key, KeyPress, Keymap, Page, State};
use tracefall::model::TraceSummary;
use tracefall::terminal::Screen;
use tracefall::view::{self, Colours, Look};

use crate::common::{paint, states};

pub(crate) struct Rig {
    pub(crate) state: State,
    pub(crate) look: Look,
    keymap: Keymap,
    size: (u16, u16),
    /// What the index would say of the list.
    summaries: Vec<TraceSummary>,
    screen: Screen<Vec<u8>>,
}

impl Rig {
    /// `state` on a dark terminal with all colours, drawn once.
    pub(crate) fn new(state: State, summaries: Vec<TraceSummary>, size: (u16, u16)) -> Self {
        let look = paint::look("dark", Colours::True);
        let screen = Screen::on(Vec::new(), true);
        let mut rig = Self { state, look, keymap: Keymap::default(), size, summaries, screen };
        // What is open asks for what it lacks, so that only what a key changes is counted.
        let effects = app::input(&mut rig.state, &rig.keymap, &Input::Resize(size.0, size.1));
        rig.answer(effects);
        rig.frame();
        rig
    }

    /// Draws a frame; the bytes it took.
    pub(crate) fn frame(&mut self) -> usize {
        self.refresh();
        let (state, look) = (&self.state, &self.look);
        self.screen.get_mut().clear();
        self.screen.draw_at(self.size, |area, buffer| view::draw(state, look, area, buffer)).unwrap();
        self.screen.get_mut().len()
    }

    /// What `run` does before a frame.
    pub(crate) fn refresh(&mut self) {
        self.state.viewport = view::viewport(&self.state, self.size);
        let (list, rows) = (&mut self.state.list, usize::from(self.state.viewport.list));
        let page = list.rows.iter().zip(&self.summaries).enumerate().skip(list.offset).take(rows);
        list.page = page
            .map(|(index, (row, summary))| Page { index, row: *row, summary: Some(summary.clone()), first: None })
            .collect();
    }

    /// A key, with what it asks for answered before the frame.
    pub(crate) fn press(&mut self, key: Key) -> usize {
        self.press_without_frame(key);
        self.frame()
    }

    /// The same without the frame.
    pub(crate) fn press_without_frame(&mut self, key: Key) {
        self.state.viewport = view::viewport(&self.state, self.size);
        let press = KeyPress { key, ctrl: false, alt: false, shift: false };
        let effects = app::input(&mut self.state, &self.keymap, &Input::Key(press));
        self.answer(effects);
    }

    fn answer(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let answer = match effect {
                Effect::Detail { trace, span, columns, .. } => {
                    let open = self.state.trace.as_ref().unwrap();
                    let analysis = Arc::clone(open.analysis.as_ref().unwrap());
                    let row = open.rows.iter().find(|row| row.key == RowKey::Span(span)).unwrap();
                    let detail = states::detail(&analysis, row.node, columns);
                    Answer::Detailed { trace, span, detail: Some(Arc::new(detail)) }
                }
                Effect::Preview { trace } => {
                    let shown = self.state.list.preview.as_ref().unwrap();
                    let (analysis, rows) = (Arc::clone(&shown.analysis), Arc::clone(&shown.rows));
                    Answer::Previewed { trace, analysis, rows }
                }
                _ => continue,
            };
            app::answer(&mut self.state, answer);
        }
    }
}
