//! Whatever is drawn after whatever: a terminal that is fed the bytes shows the buffer, cell by cell.

use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier, Style};
use std::num::NonZeroU16;
use tracefall::terminal::Screen;
use unicode_width::UnicodeWidthStr as _;

/// What happens between two frames.
#[derive(Clone, Debug)]
enum Step {
    /// Text at a place.
    Write((u16, u16), usize, usize),
    /// A band of rows moves up, or down; the rows that become free say something new.
    Scroll { top: u16, height: u16, by: i16, new: usize },
    /// The same in a part of the columns, as in a pane beside another.
    ScrollPane { left: u16, by: i16, new: usize },
    /// A style over a part of a row: the selection moves.
    Select(u16, u16, usize),
    /// Another size.
    Resize(u16, u16),
    /// The terminal lost what it showed.
    Lost,
    /// The cursor of an input.
    Cursor(Option<(u16, u16)>),
    /// Everything goes.
    Clear(usize),
}

const TEXTS: [&str; 12] = [
    "SELECT * FROM patients WHERE id = $1",
    "█████████▌",
    "│ ├─▾▌redis GET",
    "データベースへの問い合わせ",
    "a表b表c表",
    "e\u{301}e\u{301} kombiniert",
    "👩👧🏳 flags",
    "x",
    " ",
    "                    ",
    "▲ ✗ ≡ ☂ ⏎ 1.82 s",
    "ünïcödé …",
];

fn style(number: usize) -> Style {
    let all = [
        Style::new(),
        Style::new().fg(Color::Rgb(230, 232, 236)).bg(Color::Rgb(22, 24, 29)),
        Style::new().fg(Color::Rgb(230, 232, 236)).bg(Color::Rgb(31, 46, 69)).add_modifier(Modifier::BOLD),
        Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD | Modifier::DIM | Modifier::UNDERLINED),
        Style::new().fg(Color::LightBlue).bg(Color::DarkGray).add_modifier(Modifier::ITALIC),
        Style::new().fg(Color::Indexed(5)).bg(Color::Indexed(200)).add_modifier(Modifier::DIM),
        Style::new().add_modifier(Modifier::REVERSED),
        Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED | Modifier::CROSSED_OUT),
        Style::new().bg(Color::White).fg(Color::Black),
    ];
    all[number % all.len()]
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0_u16..60, 0_u16..30);
    let some = 0_usize..1000;
    prop_oneof![
        8 => (place.clone(), some.clone(), some.clone()).prop_map(|(at, text, style)| Step::Write(at, text, style)),
        8 => (0_u16..30, 1_u16..30, -9_i16..9, some.clone())
            .prop_map(|(top, height, by, new)| Step::Scroll { top, height, by, new }),
        4 => (0_u16..60, -4_i16..4, some.clone()).prop_map(|(left, by, new)| Step::ScrollPane { left, by, new }),
        3 => (0_u16..60, 0_u16..30, some.clone()).prop_map(|(x, y, style)| Step::Select(x, y, style)),
        1 => (0_u16..70, 0_u16..34).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => Just(Step::Lost),
        1 => proptest::option::of(place).prop_map(Step::Cursor),
        1 => some.prop_map(Step::Clear),
    ]
}

/// What a program wants to be seen, changed step by step.
struct Picture {
    buffer: Buffer,
    cursor: Option<(u16, u16)>,
}

impl Picture {
    fn put(&mut self, (x, y): (u16, u16), text: usize, of: usize) {
        let area = self.buffer.area;
        if x < area.width && y < area.height {
            self.buffer.set_stringn(x, y, TEXTS[text % TEXTS.len()], usize::from(area.width - x), style(of));
        }
    }

    fn scroll(&mut self, (left, top, bottom): (u16, u16, u16), by: i16, new: usize) {
        let before = self.buffer.clone();
        for y in top..bottom {
            let from = i32::from(y) + i32::from(by);
            let inside = (i32::from(top)..i32::from(bottom)).contains(&from);
            for x in left..before.area.width {
                let cell = if inside { before[(x, u16::try_from(from).unwrap())].clone() } else { Cell::EMPTY };
                self.buffer[(x, y)] = cell;
            }
            if !inside && !new.is_multiple_of(3) {
                self.put((left, y), new + usize::from(y), new / 7);
            }
        }
    }

    fn take(&mut self, step: &Step) {
        let (columns, rows) = (self.buffer.area.width, self.buffer.area.height);
        match *step {
            Step::Write(at, text, style) => self.put(at, text, style),
            Step::Scroll { top, height, by, new } => {
                self.scroll((0, top.min(rows), top.saturating_add(height).min(rows)), by, new);
            }
            Step::ScrollPane { left, by, new } => self.scroll((left, 0, rows), by, new),
            Step::Select(x, y, of) if y < rows => {
                for x in x..columns {
                    self.buffer[(x, y)].set_style(style(of));
                }
            }
            Step::Clear(of) => {
                self.buffer.reset();
                self.buffer.set_style(self.buffer.area, style(of));
            }
            Step::Cursor(at) => self.cursor = at.filter(|(x, y)| *x < columns && *y < rows),
            Step::Resize(columns, rows) => {
                let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, columns, rows));
                buffer.merge(&self.buffer);
                buffer.resize(ratatui::layout::Rect::new(0, 0, columns, rows));
                self.buffer = buffer;
                self.cursor = None;
            }
            Step::Select(..) | Step::Lost => {}
        }
    }
}

/// The colour as `vt100` tells it.
fn colour(colour: Color) -> vt100::Color {
    let named = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match colour {
        Color::Reset => vt100::Color::Default,
        Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
        Color::Indexed(index) => vt100::Color::Idx(index),
        name => vt100::Color::Idx(named.iter().position(|known| *known == name).unwrap().try_into().unwrap()),
    }
}

/// Fails unless the terminal shows `buffer`. Of a blank its background is seen, and what is drawn through it.
fn assert_shows(terminal: &vt100::Screen, buffer: &Buffer) -> Result<(), TestCaseError> {
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let wanted = &buffer[(x, y)];
            let shown = terminal.cell(y, x).unwrap();
            let symbol = if shown.contents().is_empty() { " " } else { shown.contents() };
            let told = format!("column {x}, row {y}: {wanted:?}");
            let has = |modifier| wanted.modifier.contains(modifier);
            let width = u16::try_from(wanted.symbol().width()).unwrap();
            // The half of a wide glyph that does not fit is a blank.
            let fits = x + width <= buffer.area.width;
            prop_assert_eq!(symbol, if fits { wanted.symbol() } else { " " }, "{}", &told);
            prop_assert_eq!(shown.bgcolor(), colour(wanted.bg), "{}", &told);
            prop_assert_eq!(shown.underline(), has(Modifier::UNDERLINED), "{}", &told);
            prop_assert_eq!(shown.inverse(), has(Modifier::REVERSED), "{}", &told);
            let bare = Modifier::UNDERLINED | Modifier::REVERSED | Modifier::CROSSED_OUT;
            if wanted.symbol() != " " || wanted.modifier.intersects(bare) {
                prop_assert_eq!(shown.fgcolor(), colour(wanted.fg), "{}", &told);
                prop_assert_eq!(shown.italic(), has(Modifier::ITALIC), "{}", &told);
                // `vt100` knows one of bold and dim at a time.
                if !(has(Modifier::BOLD) && has(Modifier::DIM)) {
                    prop_assert_eq!(shown.bold(), has(Modifier::BOLD), "{}", &told);
                    prop_assert_eq!(shown.dim(), has(Modifier::DIM), "{}", &told);
                }
            }
            x += width.max(1);
        }
    }
    Ok(())
}

/// `bytes` as a terminal takes them that fills the rows freed by scrolling with the worst there is: terminals differ in what
/// they fill them with, so none of it may remain. Expects margins, scrolling, and margins taken back, as the screen writes it.
fn with_dirt(bytes: &[u8], (columns, _): (u16, u16)) -> Vec<u8> {
    let pattern = regex::bytes::Regex::new(r"\x1b\[(\d+);(\d+)r\x1b\[(\d*)([ST])\x1b\[r").unwrap();
    let number = |found: &regex::bytes::Match<'_>| {
        let text = std::str::from_utf8(found.as_bytes()).unwrap();
        if text.is_empty() { 1 } else { text.parse::<u16>().unwrap() }
    };
    let dirt = |found: &regex::bytes::Captures<'_>| {
        let [top, bottom, by] = [1, 2, 3].map(|at| number(&found.get(at).unwrap()));
        assert!(top < bottom, "no terminal takes a band of one row");
        let freed = if &found[4] == b"S" { bottom + 1 - by..=bottom } else { top..=top + by - 1 };
        let mut out = found[0].to_vec();
        out.extend_from_slice(b"\x1b7\x1b[0;7;4;1;31;42m");
        for row in freed {
            out.extend_from_slice(format!("\x1b[{row}H{}", "#".repeat(usize::from(columns))).as_bytes());
        }
        out.extend_from_slice(b"\x1b8");
        out
    };
    pattern.replace_all(bytes, dirt).into_owned()
}

fn some(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

/// Draws after each step and compares. Answers how often the screen scrolled.
fn follow(steps: &[Step], scrolls: bool) -> Result<usize, TestCaseError> {
    let mut picture = Picture { buffer: Buffer::empty(ratatui::layout::Rect::new(0, 0, 50, 24)), cursor: None };
    let mut terminal = vt100::Parser::new(some(24), some(50), 0);
    let mut screen = Screen::on(Vec::new(), scrolls);
    let mut scrolled = 0;
    for step in steps {
        picture.take(step);
        let size = (picture.buffer.area.width, picture.buffer.area.height);
        match step {
            Step::Resize(columns, rows) if *columns > 0 && *rows > 0 => {
                terminal.screen_mut().set_size(some(*rows), some(*columns));
            }
            Step::Lost => {
                terminal.process(b"\x1b[2J\x1b[HWhat is this?");
                // What another program left may not have moved the cursor where the screen counts on it.
                screen.forget();
            }
            _ => {}
        }
        let draw = |_, buffer: &mut Buffer| {
            buffer.clone_from(&picture.buffer);
            picture.cursor.map(|(x, y)| Position { x, y })
        };
        screen.get_mut().clear();
        screen.draw_at(size, draw).unwrap();
        if size.0 == 0 || size.1 == 0 {
            continue;
        }
        let bytes = screen.get_mut();
        scrolled += usize::from(bytes.ends_with(b"l") && bytes.windows(3).any(|window| window == b"\x1b[r"));
        let dirty = with_dirt(bytes, size);
        terminal.process(&dirty);
        assert_shows(terminal.screen(), &picture.buffer)?;
        if let Some((x, y)) = picture.cursor {
            prop_assert_eq!(terminal.screen().cursor_position(), (y, x));
        }
    }
    Ok(scrolled)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_terminal_shows_what_was_drawn(steps in proptest::collection::vec(step(), 1..40), scrolls: bool) {
        let scrolled = follow(&steps, scrolls)?;
        prop_assert!(scrolls || scrolled == 0, "a terminal that cannot scroll was told to");
    }
}

#[test]
fn bands_that_scroll_are_scrolled_by_the_terminal() {
    let filled = (0..24).map(|y| Step::Write((0, y), usize::from(y), usize::from(y / 5))).collect::<Vec<_>>();
    for by in [-3, -1, 1, 2] {
        let scroll = Step::Scroll { top: 3, height: 17, by, new: 5 };
        let steps: Vec<Step> = filled.iter().cloned().chain(vec![scroll; 6]).collect();
        let scrolled = follow(&steps, true).unwrap();
        assert!(scrolled >= 3, "{scrolled} of 6 by {by}");
    }
}
