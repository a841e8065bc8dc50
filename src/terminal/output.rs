//! Cells → bytes: as few as say the same.
//!
//! Sequences are those of ECMA-48 and of xterm's `ctlseqs`: CUP, CUF, CUB, CUD, CUU, SGR, DECSTBM, SU, SD, ED.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// What is seen of a blank beside its background.
const ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Modifiers with the SGR codes that set and unset them.
const CODES: [(Modifier, u16, u16); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// How the next character is going to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Inks {
    text: Color,
    background: Color,
    underline: Color,
    modifier: Modifier,
}

impl Inks {
    fn of(cell: &Cell) -> Self {
        Self { text: cell.fg, background: cell.bg, underline: cell.underline_color, modifier: cell.modifier }
    }

    /// What must be set for `cell` to look as it should; of a blank less is seen.
    fn for_cell(self, cell: &Cell) -> Self {
        if is_blank(cell) {
            return Self { background: cell.bg, modifier: self.modifier.difference(ON_BLANKS), ..self };
        }
        Self::of(cell)
    }
}

/// Bytes for the terminal, with what is known of its cursor and its style after them.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    /// Column and row of the cursor; `None`: not known.
    cursor: Option<(u16, u16)>,
    /// `None`: not known.
    inks: Option<Inks>,
}

/// Nothing but background is seen of it.
pub(super) fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && !cell.modifier.intersects(ON_BLANKS)
}

/// Whether nobody could tell the two apart.
pub(super) fn look_alike(one: &Cell, other: &Cell) -> bool {
    if one.symbol() != other.symbol() || one.bg != other.bg {
        return false;
    }
    let same = one.fg == other.fg && one.modifier == other.modifier && one.underline_color == other.underline_color;
    same || (is_blank(one) && is_blank(other))
}

/// How many columns `cell` takes: at least one.
pub(super) fn columns(cell: &Cell) -> usize {
    let symbol = cell.symbol();
    // Nothing that takes less than three bytes is wide, nor are lines and blocks, which bars are drawn with.
    if symbol.len() < 3 || (symbol.len() == 3 && ("\u{2500}".."\u{2600}").contains(&symbol)) {
        return 1;
    }
    symbol.width().max(1)
}

impl Output {
    /// Forgets the bytes; what is known of the terminal stays.
    pub(super) fn start(&mut self) {
        self.bytes.clear();
    }

    /// Whether the cursor is known to stand in row `y`, and where.
    pub(super) fn column_in(&self, y: u16) -> Option<u16> {
        self.cursor.filter(|(_, row)| *row == y).map(|(column, _)| column)
    }

    /// Whether `cell` could be written without a word about its style, as one byte.
    pub(super) fn is_plain_here(&self, cell: &Cell) -> bool {
        cell.symbol().len() == 1 && self.inks.is_some_and(|inks| inks == inks.for_cell(cell))
    }

    /// Empties the whole screen to the terminal's own background.
    pub(super) fn clear(&mut self) {
        // Some terminals fill with the background that is set, so none may be.
        self.bytes.extend_from_slice(b"\x1b[m\x1b[2J");
        self.inks = Some(Inks::default());
        self.cursor = None;
    }

    /// Moves the rows from `top` to `bottom` up by `by` (down where it is negative). What the rows that become free hold after
    /// it differs from terminal to terminal.
    pub(super) fn scroll(&mut self, (top, bottom): (u16, u16), by: i32) {
        self.sequence(&[top.saturating_add(1), bottom.saturating_add(1)], b'r');
        // A line feed at the lower margin, a reverse one at the upper: every terminal with margins has these, unlike SU and SD.
        let (row, feed): (_, &[u8]) = if by > 0 { (bottom, b"\n") } else { (top, b"\x1bM") };
        self.sequence(&[row.saturating_add(1)], b'H');
        self.bytes.extend_from_slice(&feed.repeat(usize::try_from(by.unsigned_abs()).unwrap_or_default()));
        self.sequence(&[], b'r');
        // Setting margins moves the cursor, to where depends on a mode.
        self.cursor = None;
    }

    /// Moves the cursor by whatever is shortest.
    pub(super) fn go(&mut self, (x, y): (u16, u16)) {
        if self.cursor == Some((x, y)) {
            return;
        }
        let from = self.bytes.len();
        match (x, y) {
            (0, 0) => self.sequence(&[], b'H'),
            (0, y) => self.sequence(&[y.saturating_add(1)], b'H'),
            (x, y) => self.sequence(&[y.saturating_add(1), x.saturating_add(1)], b'H'),
        }
        let absolute = self.bytes.len();
        if self.step((x, y)) && self.bytes.len() - absolute < absolute - from {
            self.bytes.drain(from..absolute);
        } else {
            self.bytes.truncate(absolute);
        }
        self.cursor = Some((x, y));
    }

    /// Moves the cursor relative to where it stands, where that can be said.
    fn step(&mut self, (x, y): (u16, u16)) -> bool {
        let Some((column, row)) = self.cursor else { return false };
        if y == row && x > column {
            self.steps(x - column, b'C');
        } else if y == row && x == 0 {
            self.bytes.push(b'\r');
        } else if y == row {
            self.steps(column - x, b'D');
        } else if x == column && y > row {
            self.steps(y - row, b'B');
        } else if x == column {
            self.steps(row - y, b'A');
        } else if y == row.saturating_add(1) {
            // There is a row below, so that nothing scrolls.
            self.bytes.extend_from_slice(b"\r\n");
            if x > 0 {
                self.steps(x, b'C');
            }
        } else {
            return false;
        }
        true
    }

    fn steps(&mut self, count: u16, direction: u8) {
        let counts = [count];
        self.sequence(if count == 1 { &[] } else { &counts }, direction);
    }

    /// Writes `cell` where the cursor stands. `last`: it ends at the right edge.
    pub(super) fn cell(&mut self, cell: &Cell, columns: usize, last: bool) {
        self.wear(Inks::for_cell(self.inks.unwrap_or_default(), cell));
        let symbol = cell.symbol();
        let known = symbol.len() == 1 || is_agreed(symbol);
        // A glyph of no width, or one that is cut by the edge, would shift what follows.
        let drawable = symbol.len() == 1 || symbol.width() == columns;
        self.bytes.extend_from_slice(if drawable { symbol.as_bytes() } else { b" " });
        let columns = u16::try_from(columns).unwrap_or(1);
        self.cursor = self.cursor.filter(|_| known && !last).map(|(x, y)| (x.saturating_add(columns), y));
    }

    fn wear(&mut self, to: Inks) {
        if self.inks == Some(to) {
            return;
        }
        self.bytes.extend_from_slice(b"\x1b[");
        let from = if let Some(from) = self.inks.filter(|_| to != Inks::default()) {
            from
        } else {
            // An empty list of parameters means: everything off.
            if to != Inks::default() {
                self.bytes.extend_from_slice(b"0;");
            }
            Inks::default()
        };
        self.modifiers(from.modifier, to.modifier);
        if from.text != to.text {
            self.colour(to.text, 30);
        }
        if from.background != to.background {
            self.colour(to.background, 40);
        }
        if from.underline != to.underline {
            self.colour(to.underline, 50);
        }
        if self.bytes.last() == Some(&b';') {
            self.bytes.pop();
        }
        self.bytes.push(b'm');
        self.inks = Some(to);
    }

    fn modifiers(&mut self, from: Modifier, to: Modifier) {
        let mut left = from;
        for (modifier, _, off) in CODES {
            if left.contains(modifier) && !to.contains(modifier) {
                self.parameter(off);
                // One code ends bold and dim, one both kinds of blinking.
                for (other, _, _) in CODES.iter().filter(|(_, _, code)| *code == off) {
                    left.remove(*other);
                }
            }
        }
        for (modifier, on, _) in CODES {
            if to.contains(modifier) && !left.contains(modifier) {
                self.parameter(on);
            }
        }
    }

    /// `base`: 30 for text, 40 for the background, 50 for the underline, which has no short codes.
    fn colour(&mut self, colour: Color, base: u16) {
        let short = |index: u16| if index < 8 { base + index } else { base + 60 + index - 8 };
        let index = match colour {
            Color::Reset => return self.parameter(base + 9),
            Color::Rgb(red, green, blue) => {
                for value in [base + 8, 2, u16::from(red), u16::from(green), u16::from(blue)] {
                    self.parameter(value);
                }
                return;
            }
            Color::Indexed(index) => u16::from(index) + 16,
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 8,
            Color::LightRed => 9,
            Color::LightGreen => 10,
            Color::LightYellow => 11,
            Color::LightBlue => 12,
            Color::LightMagenta => 13,
            Color::LightCyan => 14,
            Color::White => 15,
        };
        if index < 16 && base < 50 {
            return self.parameter(short(index));
        }
        for value in [base + 8, 5, if index < 16 { index } else { index - 16 }] {
            self.parameter(value);
        }
    }

    fn parameter(&mut self, value: u16) {
        self.number(value);
        self.bytes.push(b';');
    }

    fn sequence(&mut self, parameters: &[u16], end: u8) {
        self.bytes.extend_from_slice(b"\x1b[");
        for (at, parameter) in parameters.iter().enumerate() {
            if at > 0 {
                self.bytes.push(b';');
            }
            self.number(*parameter);
        }
        self.bytes.push(end);
    }

    fn number(&mut self, value: u16) {
        let mut divisor = 10_000;
        while divisor > 1 && value < divisor {
            divisor /= 10;
        }
        while divisor > 0 {
            // A digit: less than ten.
            self.bytes.push(b'0' + u8::try_from(value / divisor % 10).unwrap_or_default());
            divisor /= 10;
        }
    }
}

/// Whether terminals agree how wide it is. After one of which they do not, the cursor is placed anew.
fn is_agreed(symbol: &str) -> bool {
    let mut letters = symbol.chars();
    let first = letters.next().unwrap_or(' ');
    letters.next().is_none() && !matches!(first, '\u{2600}'..='\u{2bff}' | '\u{e000}'..='\u{f8ff}' | '\u{1f000}'..)
}
