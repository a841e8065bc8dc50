//! What a person does at the screens meanwhile, over and over, and how long each key waits for the frame that shows it.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::terminal::{PATIENCE, Program, SIZE};

/// Pauses between two keys, in milliseconds: taken in turns, so that keys do not march in step with frames.
const PAUSES: [u64; 5] = [23, 41, 12, 57, 34];

/// After so many keys without a frame there is no use in going on.
const ENOUGH: usize = 5;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    Move,
    Scroll,
    Open,
    Filter,
    Screen,
}

impl Sort {
    pub(crate) const ALL: [Self; 5] = [Self::Move, Self::Scroll, Self::Open, Self::Filter, Self::Screen];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Move => "move a row",
            Self::Scroll => "scroll a page",
            Self::Open => "open a trace",
            Self::Filter => "filter",
            Self::Screen => "another screen",
        }
    }
}

/// A key, and the time to its frame.
#[derive(Clone, Debug)]
pub(crate) struct Pressed {
    pub(crate) sort: Sort,
    pub(crate) key: String,
    /// [`PATIENCE`] where no frame ever showed it.
    pub(crate) time: Duration,
}

/// The walk so far.
pub(crate) struct Walk {
    pressed: Vec<Pressed>,
    /// Rounds with a rest after them, for a run of hours.
    slow: bool,
    turn: usize,
    /// Keys without a frame.
    unshown: usize,
    /// What is loaded when it is first used has been used.
    warm: bool,
}

impl Walk {
    pub(crate) fn new(slow: bool) -> Self {
        Self { pressed: Vec::new(), slow, turn: 0, unshown: 0, warm: false }
    }

    /// What was pressed since the last call.
    pub(crate) fn take(&mut self) -> Vec<Pressed> {
        std::mem::take(&mut self.pressed)
    }

    /// Once through the screens. Begins and ends on the list, without a filter. Nothing happens before the first trace.
    pub(crate) fn round(&mut self, program: &mut Program) -> Result<()> {
        if selected(program.screen()).is_none() {
            return program.look_on(Duration::from_millis(100));
        }
        if !std::mem::replace(&mut self.warm, true) {
            self.statement(program)?;
        }
        self.list(program)?;
        self.trace(program)?;
        self.filter(program)?;
        self.screens(program)?;
        program.look_on(Duration::from_millis(if self.slow { 2_000 } else { 150 }))
    }

    fn list(&mut self, program: &mut Program) -> Result<()> {
        // To the newest, where moves have room below.
        self.press(program, Sort::Move, "g", |before, now| selected(now) != before.selected)?;
        for key in ["j", "j", "j", "k", "j", "k"] {
            self.press(program, Sort::Move, key, |before, now| selected(now) != before.selected)?;
        }
        // Only while the list is held still is it the key that changes what it shows.
        self.press(program, Sort::Screen, " ", |_, now| {
            row(now, SIZE.1 - 1).contains("paused") || notice(now, "paused")
        })?;
        for key in ["\u{6}", "\u{6}", "\u{6}", "\u{2}", "\u{2}"] {
            self.press(program, Sort::Scroll, key, |before, now| page(now) != before.page)?;
        }
        self.press(program, Sort::Screen, " ", |_, now| notice(now, "resumed"))
    }

    fn trace(&mut self, program: &mut Program) -> Result<()> {
        self.press(program, Sort::Open, "\r", |_, now| is_trace(now) && selected(now).is_some())?;
        // It may stand on any row, and have no other.
        self.press(program, Sort::Move, "g", |before, now| selected(now) != before.selected)?;
        if has_second_row(program.screen()) {
            for key in ["j", "k", "j"] {
                self.press(program, Sort::Move, key, |before, now| selected(now) != before.selected)?;
            }
        }
        self.press(program, Sort::Screen, "\u{1b}", |_, now| is_list(now))
    }

    /// Opens a trace on a statement. Its colours come from a grammar that is loaded with the first one, some MiB that stay;
    /// a walk that met its first statement late would find that memory grew.
    fn statement(&mut self, program: &mut Program) -> Result<()> {
        self.press(program, Sort::Filter, "/", |_, now| is_typing(now))?;
        for letter in "db.system.name=postgresql".chars() {
            program.press(&letter.to_string())?;
        }
        self.press(program, Sort::Filter, "\r", |_, now| !is_typing(now))?;
        program.look_on(Duration::from_millis(500))?;
        self.press(program, Sort::Open, "\r", |_, now| is_trace(now))?;
        program.look_on(Duration::from_millis(500))?;
        self.press(program, Sort::Screen, "\u{1b}", |_, now| !is_trace(now))?;
        self.press(program, Sort::Filter, "\u{1b}", |_, now| !row(now, 1).contains("postgresql"))
    }

    fn filter(&mut self, program: &mut Program) -> Result<()> {
        self.press(program, Sort::Filter, "/", |_, now| is_typing(now))?;
        let text = "error=true";
        for (length, letter) in (1..).zip(text.chars()) {
            let typed: String = text.chars().take(length).collect();
            self.press(program, Sort::Filter, &letter.to_string(), |_, now| row(now, 1).contains(&typed))?;
        }
        self.press(program, Sort::Filter, "\r", |_, now| !is_typing(now))?;
        self.press(program, Sort::Filter, "\u{1b}", |_, now| !row(now, 1).contains(text))
    }

    fn screens(&mut self, program: &mut Program) -> Result<()> {
        self.press(program, Sort::Screen, "8", |_, now| row(now, 1).starts_with(" source"))?;
        self.press(program, Sort::Screen, "?", |_, now| row(now, 1).contains("keys"))?;
        self.press(program, Sort::Screen, "\u{1b}", |_, now| row(now, 1).starts_with(" source"))?;
        self.press(program, Sort::Screen, "1", |_, now| is_list(now))
    }

    /// Presses a key and waits for the frame that shows what it did. A key that changes nothing where it is pressed (the
    /// first row when the first is selected) is pressed and not counted.
    fn press(
        &mut self,
        program: &mut Program,
        sort: Sort,
        key: &str,
        shows: impl Fn(&Before, &vt100::Screen) -> bool,
    ) -> Result<()> {
        let pause = PAUSES[self.turn % PAUSES.len()];
        self.turn += 1;
        program.look_on(Duration::from_millis(pause))?;
        let before = Before { selected: selected(program.screen()), page: page(program.screen()) };
        let counts = !shows(&before, program.screen());
        let at = program.press(key)?;
        if !counts || key == "g" && before.selected == Some(FIRST) {
            return program.look_on(Duration::from_millis(50));
        }
        let found = program.wait(at, |screen| shows(&before, screen))?;
        if found.is_none() {
            self.unshown += 1;
            complain(sort, key, program);
            if self.unshown >= ENOUGH {
                bail!("the screen does not answer");
            }
        }
        let time = found.unwrap_or(PATIENCE);
        self.pressed.push(Pressed { sort, key: key.escape_default().to_string(), time });
        Ok(())
    }
}

#[expect(clippy::print_stderr, reason = "what is on screen tells why")]
fn complain(sort: Sort, key: &str, program: &Program) {
    let at = selected(program.screen());
    let text: Vec<_> = program.screen().rows(0, SIZE.0).map(|row| row.trim_end().to_owned()).collect();
    eprintln!("no frame showed {} ({key:?}); row {at:?} is selected; on screen:\n{}\n", sort.name(), text.join("\n"));
}

/// What was on screen before a key.
struct Before {
    selected: Option<u16>,
    page: Vec<String>,
}

/// The first row of the list.
const FIRST: u16 = 4;

fn row(screen: &vt100::Screen, number: u16) -> String {
    screen.rows(0, SIZE.0).nth(usize::from(number)).unwrap_or_default()
}

/// The selected row: below the head, the first with another background than the head has.
fn selected(screen: &vt100::Screen) -> Option<u16> {
    let ground = |row| screen.cell(row, 3).map(vt100::Cell::bgcolor);
    (FIRST..SIZE.1 - 1).find(|row| ground(*row) != ground(FIRST - 1))
}

/// The rows of the list, without their ages.
fn page(screen: &vt100::Screen) -> Vec<String> {
    screen.rows(9, 90).skip(usize::from(FIRST)).take(16).collect()
}

/// Whether the open trace can be walked through, from its first row.
fn has_second_row(screen: &vt100::Screen) -> bool {
    screen.rows(0, 60).nth(usize::from(FIRST) + 1).is_some_and(|row| !row.trim().is_empty())
}

fn notice(screen: &vt100::Screen, text: &str) -> bool {
    screen.rows(0, SIZE.0).any(|row| row.contains(text))
}

fn is_trace(screen: &vt100::Screen) -> bool {
    // Under a filter it has one line more at its head.
    (3..6).any(|number| row(screen, number).starts_with(" span "))
}

fn is_list(screen: &vt100::Screen) -> bool {
    row(screen, 3).contains("root operation")
}

fn is_typing(screen: &vt100::Screen) -> bool {
    row(screen, SIZE.1 - 1).contains("apply")
}
