//! What was drawn, as a picture: blocks and lines as rectangles, so that no font leaves gaps between them.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

const WIDTH: u32 = 9;
const HEIGHT: u32 = 19;
const FONT: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

/// A rectangle within a cell, in pixels from its corner.
type Part = (u32, u32, u32, u32);

/// The screen as SVG.
pub fn svg(buffer: &Buffer, base: Style) -> String {
    let (columns, rows) = (u32::from(buffer.area.width), u32::from(buffer.area.height));
    let (width, height) = (columns * WIDTH + 16, rows * HEIGHT + 16);
    let back = hex(base.bg.unwrap_or(Color::Black));
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">"
    );
    let _ = writeln!(out, "<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{back}\"/>");
    let _ = writeln!(
        out,
        "<g transform=\"translate(8 8)\" font-family=\"{FONT}\" font-size=\"15\" shape-rendering=\"crispEdges\">"
    );
    for y in 0..buffer.area.height {
        let row: Vec<&Cell> = (0..buffer.area.width).map(|x| &buffer[(x, y)]).collect();
        backgrounds(&mut out, &row, u32::from(y), base);
        shapes(&mut out, &row, u32::from(y));
        words(&mut out, &row, u32::from(y), base);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn hex(colour: Color) -> String {
    match colour {
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        other => panic!("a picture needs 24 bits of colour, not {other:?}"),
    }
}

fn rect(out: &mut String, (x, y, width, height): Part, fill: &str) {
    let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>");
}

/// Runs of equal things, as first index, length, thing.
fn runs<T: PartialEq>(things: impl Iterator<Item = T>) -> Vec<(u32, u32, T)> {
    let mut runs: Vec<(u32, u32, T)> = Vec::new();
    for (at, thing) in (0..).zip(things) {
        match runs.last_mut() {
            Some((_, length, last)) if *last == thing => *length += 1,
            _ => runs.push((at, 1, thing)),
        }
    }
    runs
}

fn backgrounds(out: &mut String, row: &[&Cell], y: u32, base: Style) {
    for (x, length, colour) in runs(row.iter().map(|cell| cell.bg)) {
        if Some(colour) != base.bg {
            rect(out, (x * WIDTH, y * HEIGHT, length * WIDTH, HEIGHT), &hex(colour));
        }
    }
}

/// The rectangles of a block or line glyph; `None` for anything that a font draws.
fn parts(symbol: &str) -> Option<Vec<Part>> {
    let eighths = |parts: u32| (WIDTH * parts + 4) / 8;
    let lower = |parts: u32| {
        let height = (HEIGHT * parts + 4) / 8;
        vec![(0, HEIGHT - height, WIDTH, height)]
    };
    let (middle_x, middle_y) = (WIDTH / 2, HEIGHT / 2);
    let left = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"].iter().position(|glyph| *glyph == symbol);
    if let Some(at) = left {
        return Some(vec![(0, 0, eighths(u32::try_from(at).ok()? + 1).max(1), HEIGHT)]);
    }
    let below = ["▁", "▂", "▃", "▄", "▅", "▆", "▇"].iter().position(|glyph| *glyph == symbol);
    if let Some(at) = below {
        return Some(lower(u32::try_from(at).ok()? + 1));
    }
    Some(match symbol {
        "▕" => vec![(WIDTH - 1, 0, 1, HEIGHT)],
        "─" => vec![(0, middle_y, WIDTH, 1)],
        "━" => vec![(0, middle_y - 1, WIDTH, 3)],
        "╸" => vec![(0, middle_y - 1, middle_x + 1, 3)],
        "│" => vec![(middle_x, 0, 1, HEIGHT)],
        "├" => vec![(middle_x, 0, 1, HEIGHT), (middle_x, middle_y, WIDTH - middle_x, 1)],
        "└" => vec![(middle_x, 0, 1, middle_y + 1), (middle_x, middle_y, WIDTH - middle_x, 1)],
        "╵" => vec![(middle_x, 0, 1, middle_y)],
        _ => return None,
    })
}

fn shapes(out: &mut String, row: &[&Cell], y: u32) {
    for (x, length, (symbol, colour)) in runs(row.iter().map(|cell| (cell.symbol(), cell.fg))) {
        let Some(parts) = parts(symbol) else { continue };
        // What fills its cell from side to side is one rectangle over the whole run.
        let joined = parts.iter().all(|(left, _, width, _)| *left == 0 && *width == WIDTH);
        let (times, stretch) = if joined { (1, length) } else { (length, 1) };
        for at in 0..times {
            for (left, top, width, height) in &parts {
                let part = ((x + at) * WIDTH + left, y * HEIGHT + top, width * stretch, *height);
                rect(out, part, &hex(colour));
            }
        }
    }
}

fn words(out: &mut String, row: &[&Cell], y: u32, base: Style) {
    let style = |cell: &Cell| {
        let drawn = cell.symbol() != " " && parts(cell.symbol()).is_none();
        drawn.then_some((cell.fg, cell.modifier))
    };
    for (x, length, key) in runs(row.iter().map(|cell| style(cell))) {
        let Some((colour, modifier)) = key else { continue };
        let mut text = String::new();
        let mut skip = 0;
        for cell in row.iter().skip(x as usize).take(length as usize) {
            if skip == 0 {
                text.push_str(cell.symbol());
                skip = cell.symbol().width();
            }
            skip = skip.saturating_sub(1);
        }
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let colour = if colour == Color::Reset { base.fg.unwrap_or(Color::White) } else { colour };
        let weight = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        let line = if modifier.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{weight}{line}>{text}</text>",
            x * WIDTH,
            y * HEIGHT + 14,
            length * WIDTH,
            hex(colour),
        );
    }
}
