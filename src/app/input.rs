//! What a person does with keyboard and mouse, free of any terminal library.

use std::fmt;
use std::str::FromStr;

/// One thing a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key went down.
    Key(KeyPress),
    /// The mouse did something.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(String),
    /// The terminal has a new size: columns and rows.
    Resize(u16, u16),
}

/// A key with what was held down beside it. Shift is part of a character and is only told for other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPress {
    /// The key.
    pub key: Key,
    /// Control was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
    /// Shift was held (not told for characters).
    pub shift: bool,
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, as typed.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator; back-tab is told with `shift`.
    Tab,
    /// Deletes to the left.
    Backspace,
    /// Deletes to the right.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// First.
    Home,
    /// Last.
    End,
    /// A page back.
    PageUp,
    /// A page on.
    PageDown,
    /// A function key by its number.
    Function(u8),
}

/// Something the mouse did, at a cell of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// Column, from 0.
    pub column: u16,
    /// Row, from 0.
    pub row: u16,
    /// What it did.
    pub kind: MouseKind,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    /// A button went down.
    Down(Button),
    /// The mouse moved with a button held.
    Drag(Button),
    /// A button went up.
    Up(Button),
    /// The wheel turned away from the person.
    WheelUp,
    /// The wheel turned towards the person.
    WheelDown,
}

/// A mouse button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Left.
    Left,
    /// Middle.
    Middle,
    /// Right.
    Right,
}

impl KeyPress {
    /// The key alone, nothing held beside it.
    #[must_use]
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false, alt: false, shift: false }
    }

    /// How it is shown to a person, short: `⏎`, `↑`, `^d`, `space`. [`fmt::Display`] gives its name in the config file.
    #[must_use]
    pub fn label(&self) -> String {
        let key = match self.key {
            Key::Enter => "⏎".to_owned(),
            Key::Up => "↑".to_owned(),
            Key::Down => "↓".to_owned(),
            Key::Left => "←".to_owned(),
            Key::Right => "→".to_owned(),
            Key::PageUp => "PgUp".to_owned(),
            Key::PageDown => "PgDn".to_owned(),
            Key::Tab if self.shift => "⇧tab".to_owned(),
            _ => return self.to_string().replace("ctrl-", "^"),
        };
        format!("{}{}{key}", if self.ctrl { "^" } else { "" }, if self.alt { "alt-" } else { "" })
    }
}

/// The names of the keys that are no characters; the first of each is the one that is written.
const NAMES: [(&str, Key); 22] = [
    ("enter", Key::Enter),
    ("return", Key::Enter),
    ("⏎", Key::Enter),
    ("esc", Key::Esc),
    ("escape", Key::Esc),
    ("tab", Key::Tab),
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("up", Key::Up),
    ("↑", Key::Up),
    ("down", Key::Down),
    ("↓", Key::Down),
    ("left", Key::Left),
    ("←", Key::Left),
    ("right", Key::Right),
    ("→", Key::Right),
    ("home", Key::Home),
    ("end", Key::End),
    ("pageup", Key::PageUp),
    ("pagedown", Key::PageDown),
    ("space", Key::Char(' ')),
    ("minus", Key::Char('-')),
];

/// Its name in the config file: `q`, `ctrl-d`, `space`, `shift-tab`, `f1`.
impl fmt::Display for KeyPress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                out.write_str(name)?;
            }
        }
        match self.key {
            Key::Char(letter) if letter != ' ' => write!(out, "{letter}"),
            Key::Function(number) => write!(out, "f{number}"),
            key => out.write_str(NAMES.iter().find(|(_, named)| *named == key).map_or("", |(name, _)| name)),
        }
    }
}

/// A key's name that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no key: write a character, or ctrl-d, alt-x, space, enter, esc, tab, shift-tab, up, pagedown, f1 …")]
pub struct UnknownKey(pub String);

impl FromStr for KeyPress {
    type Err = UnknownKey;

    fn from_str(name: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey(name.to_owned());
        let mut press = Self::plain(Key::Esc);
        let mut rest = name;
        loop {
            let (held, after) = match rest.split_once('-') {
                Some((held, after)) if !after.is_empty() => (held.to_ascii_lowercase(), after),
                _ => break,
            };
            match held.as_str() {
                "ctrl" | "control" | "c" => press.ctrl = true,
                "alt" | "meta" => press.alt = true,
                "shift" => press.shift = true,
                _ => return Err(unknown()),
            }
            rest = after;
        }
        press.key = key_named(rest).ok_or_else(unknown)?;
        if let Key::Char(letter) = &mut press.key {
            // Terminals tell shift as part of the character, and control with the small letter.
            if std::mem::take(&mut press.shift) {
                *letter = letter.to_uppercase().next().unwrap_or(*letter);
            } else if press.ctrl {
                *letter = letter.to_ascii_lowercase();
            }
        }
        Ok(press)
    }
}

fn key_named(name: &str) -> Option<Key> {
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next())
        && !letter.is_control()
        && !"⏎↑↓←→".contains(letter)
    {
        return Some(Key::Char(letter));
    }
    let name = name.to_lowercase();
    if let Some((_, key)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*key);
    }
    let number = name.strip_prefix('f')?.parse().ok()?;
    (1..=24).contains(&number).then_some(Key::Function(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ACTIONS;

    #[test]
    fn the_name_of_every_default_key_is_read_back() {
        for key in ACTIONS.iter().flat_map(|info| info.keys) {
            assert_eq!(key.to_string().parse(), Ok(*key), "{key}");
            assert!(!key.label().is_empty());
        }
    }

    #[test]
    fn keys_are_read_by_their_names() {
        let ctrl = |letter| KeyPress { ctrl: true, ..KeyPress::plain(Key::Char(letter)) };
        let table = [
            ("q", KeyPress::plain(Key::Char('q'))),
            ("-", KeyPress::plain(Key::Char('-'))),
            ("ctrl--", ctrl('-')),
            ("Ctrl-D", ctrl('d')),
            ("space", KeyPress::plain(Key::Char(' '))),
            ("shift-a", KeyPress::plain(Key::Char('A'))),
            ("shift-tab", KeyPress { shift: true, ..KeyPress::plain(Key::Tab) }),
            ("F12", KeyPress::plain(Key::Function(12))),
            ("Enter", KeyPress::plain(Key::Enter)),
            ("ä", KeyPress::plain(Key::Char('ä'))),
        ];
        for (name, key) in table {
            assert_eq!(name.parse(), Ok(key), "{name}");
        }
        for name in ["", "hyper-x", "f0", "f99", "enterr", "ctrl-"] {
            assert_eq!(name.parse::<KeyPress>(), Err(UnknownKey(name.to_owned())));
        }
    }
}
