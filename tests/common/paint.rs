//! What was drawn, as text, as styles, as a terminal's own language, and as a picture.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use tracefall::app::State;
use tracefall::view::{self, Colours, Look};

pub fn look(theme: &str, colours: Colours) -> Look {
    Look::new(theme, colours, false, TimeZone::UTC)
}

/// Draws `state` on a screen of this size.
pub fn draw(state: &State, look: &Look, (columns, rows): (u16, u16)) -> Buffer {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    view::draw(state, look, area, &mut buffer);
    buffer
}

/// The symbols of a row, those behind wide glyphs left out.
pub fn row_text(buffer: &Buffer, y: u16) -> String {
    let mut out = String::new();
    let mut skip = 0;
    for x in buffer.area.left()..buffer.area.right() {
        let symbol = buffer[(x, y)].symbol();
        if skip > 0 {
            skip -= 1;
            continue;
        }
        skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
        out.push_str(symbol);
    }
    out
}

/// The screen as lines of text.
pub fn as_text(buffer: &Buffer) -> String {
    let rows = buffer.area.top()..buffer.area.bottom();
    rows.map(|y| row_text(buffer, y).trim_end().to_owned() + "\n").collect()
}

/// Where styles change: per row, runs of cells with what is special about them.
pub fn as_styles(buffer: &Buffer, base: Style) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(x, y)];
            let name = style_name(cell.fg, cell.bg, cell.modifier, base);
            let blank = cell.symbol() == " " && cell.bg == base.bg.unwrap_or(Color::Reset) && cell.modifier.is_empty();
            if blank {
                continue;
            }
            // Blanks within a run belong to it.
            match runs.last_mut() {
                Some((_, end, last)) if *last == name => *end = x,
                _ => runs.push((x, x, name)),
            }
        }
        runs.retain(|(_, _, name)| !name.is_empty());
        if !runs.is_empty() {
            let runs: Vec<String> = runs.into_iter().map(|(from, to, name)| format!("{from}-{to} {name}")).collect();
            out.push_str(&format!("{y:>2}: {}\n", runs.join(", ")));
        }
    }
    out
}

fn style_name(fg: Color, bg: Color, modifier: Modifier, base: Style) -> String {
    let mut parts = Vec::new();
    if Some(fg) != base.fg && fg != Color::Reset {
        parts.push(fg.to_string());
    }
    if Some(bg) != base.bg && bg != Color::Reset {
        parts.push(format!("on {bg}"));
    }
    if !modifier.is_empty() {
        parts.push(format!("{modifier:?}"));
    }
    parts.join(" ")
}

/// The screen in a terminal's language, each row put in its place.
pub fn as_ansi(buffer: &Buffer) -> String {
    let mut out = String::from("\u{1b}[?25l\u{1b}[2J\u{1b}[?7l");
    for y in buffer.area.top()..buffer.area.bottom() {
        out.push_str(&format!("\u{1b}[{};1H", y + 1));
        let mut skip = 0;
        for x in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(x, y)];
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            out.push_str("\u{1b}[0");
            for (modifier, code) in
                [(Modifier::BOLD, "1"), (Modifier::DIM, "2"), (Modifier::UNDERLINED, "4"), (Modifier::REVERSED, "7")]
            {
                if cell.modifier.contains(modifier) {
                    out.push_str(&format!(";{code}"));
                }
            }
            out.push_str(&colour_code(cell.fg, 30));
            out.push_str(&colour_code(cell.bg, 40));
            out.push('m');
            out.push_str(cell.symbol());
        }
    }
    out.push_str("\u{1b}[0m");
    out
}

fn colour_code(colour: Color, base: u8) -> String {
    let plain = |number: u8| format!(";{}", base + number);
    let light = |number: u8| format!(";{}", base + 60 + number);
    match colour {
        Color::Rgb(red, green, blue) => format!(";{};2;{red};{green};{blue}", base + 8),
        Color::Indexed(index) => format!(";{};5;{index}", base + 8),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => light(0),
        Color::LightRed => light(1),
        Color::LightGreen => light(2),
        Color::LightYellow => light(3),
        Color::LightBlue => light(4),
        Color::LightMagenta => light(5),
        Color::LightCyan => light(6),
        Color::White => light(7),
        Color::Reset => String::new(),
    }
}
