//! A person at the screen of an index: keys go in, frames come out, and each frame is looked at.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tracefall::app::{self, Answer, Effect, Input, Key, KeyPress, Keymap, Settings, State, work};
use tracefall::index::View;
use tracefall::model::Timestamp;
use tracefall::view::{self, Highlighter};

use crate::common::paint::look;

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (20, 6)];

pub(crate) struct Person {
    view: View,
    pub(crate) state: State,
    keymap: Keymap,
    desk: work::Desk,
    highlighter: Highlighter,
    effects: usize,
}

impl Person {
    /// Sits down before what is in `view`.
    pub(crate) fn before(view: View) -> Self {
        let (state, keymap) = (State::new(Settings::default()), Keymap::default());
        let (highlighter, desk) = (Highlighter::default(), work::Desk::default());
        let mut person = Self { view, state, keymap, desk, highlighter, effects: 0 };
        person.measure(SIZES[0]);
        let effects = app::tick(&mut person.state, &person.view, Timestamp(2));
        person.carry_out(effects);
        person.look();
        person
    }

    /// Presses keys, written as in the keymap (`'word` types it), and looks at the screen after each.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        for word in keys.split_whitespace() {
            let presses: Vec<KeyPress> = match word.strip_prefix('\'') {
                Some(typed) => typed.chars().map(|c| KeyPress::plain(Key::Char(c))).collect(),
                None => vec![word.parse().unwrap()],
            };
            for key in presses {
                let effects = app::input(&mut self.state, &self.keymap, &Input::Key(key));
                self.carry_out(effects);
            }
            self.look();
        }
        self
    }

    /// What is on screen at the first size.
    pub(crate) fn text(&mut self) -> String {
        crate::common::paint::as_text(&self.draw(SIZES[0]))
    }

    fn measure(&mut self, size: (u16, u16)) {
        self.state.viewport = view::viewport(&self.state, size);
    }

    fn draw(&mut self, (columns, rows): (u16, u16)) -> Buffer {
        self.measure((columns, rows));
        while app::refresh(&mut self.state, &self.view) {}
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let look = look("dark", view::Colours::True);
        let _ = view::draw(&self.state, &look, buffer.area, &mut buffer);
        buffer
    }

    /// Nothing that acts on a terminal may be in any cell, at any size.
    fn look(&mut self) {
        for size in SIZES {
            let buffer = self.draw(size);
            let acts = buffer.content.iter().find(|cell| cell.symbol().chars().any(char::is_control));
            assert!(acts.is_none(), "{acts:?}");
        }
        self.measure(SIZES[0]);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.effects += 1;
            assert!(self.effects < 10_000, "requests without end: {effect:?}");
            if let Some(answer) = self.work(&effect) {
                let effects = app::answer(&mut self.state, answer);
                self.carry_out(effects);
            }
        }
    }

    fn work(&mut self, effect: &Effect) -> Option<Answer> {
        match effect {
            Effect::Copy { what, text } => {
                assert!(!text.is_empty());
                return Some(Answer::Copied(Ok(what.clone())));
            }
            Effect::Demo(play) => return Some(Answer::Demo(Ok(*play))),
            _ => {}
        }
        let thresholds = self.state.settings.thresholds;
        let means = work::Means {
            view: &self.view,
            now: Timestamp(2),
            thresholds: &thresholds,
            highlight: &|language, text, columns| self.highlighter.highlight(language, text, columns),
            cancelled: &|| false,
        };
        self.desk.work(effect, &means, &mut |_| ())
    }
}

/// The person opens the first trace and uses every key that moves, folds, searches, copies or shows more.
pub(crate) fn look_through(view: View) -> Person {
    let mut person = Person::before(view);
    person.press("enter j d j j tab k e s n [ ] left right z Z G g / 'x enter n N esc y A esc enter");
    let open = person.state.trace.as_ref().unwrap();
    assert!(open.rows.iter().any(|row| Some(row.key) == open.selected), "something is selected");
    let _ = Arc::clone(&open.rows);
    person
}
