//! One frame.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::look::{Look, Role};
use super::pen::Pen;
use super::{
    compare, copy, errors, first, footer, header, health, help, language, layout, list, palette, picker, save,
    services, sql, survey, trace, values,
};
use crate::app::{Overlay, Screen, State};

/// Draws `state` into `area` of `buffer`. Answers where the cursor of an input stands, where there is one.
pub fn draw(state: &State, look: &Look, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let area = area.intersection(buffer.area);
    let flipped;
    let look = if state.theme_flipped {
        flipped = look.flipped();
        &flipped
    } else {
        look
    };
    buffer.set_style(area, look.base());
    let mut pen = Pen { buffer, look, state, area };
    let cursor = if layout::too_small(area) { small(&mut pen, area) } else { screen(&mut pen, area) };
    if look.ascii {
        ascii(buffer, area);
    }
    cursor.map(|(x, y)| Position { x, y }).filter(|at| area.contains(*at))
}

fn small(pen: &mut Pen<'_>, area: Rect) -> Option<(u16, u16)> {
    if area.area() > 0 {
        pen.put((area.x, area.y + area.height / 2), "too small", area.width, pen.style(Role::Dim));
    }
    None
}

fn screen(pen: &mut Pen<'_>, area: Rect) -> Option<(u16, u16)> {
    let state = pen.state;
    let frame = layout::frame(state, area);
    header::draw(pen, frame.header);
    if let Some(warning) = &state.settings.warning {
        let style = pen.style(Role::Slow);
        let used = pen.put((frame.warning.x + 1, frame.warning.y), "▲ ", 2, style);
        let room = frame.warning.width.saturating_sub(used + 2);
        pen.put((frame.warning.x + 1 + used, frame.warning.y), warning, room, style);
    }
    let cursor = match state.screen {
        Screen::Traces if layout::is_first(state) => {
            first::draw(pen, frame.body);
            None
        }
        Screen::Traces => list::draw(pen, frame.body),
        Screen::Trace => trace::draw(pen, frame.body),
        Screen::Sql => sql::draw(pen, frame.body),
        Screen::Errors => errors::draw(pen, frame.body),
        Screen::Services => services::draw(pen, frame.body),
        Screen::Compare => compare::draw(pen, frame.body),
        Screen::Health => {
            health::draw(pen, frame.body);
            None
        }
    };
    if state.survey().is_some() {
        survey::proposals(pen, frame.body);
    }
    footer::draw(pen, frame.footer);
    match &state.overlay {
        Some(Overlay::Help { scroll }) => {
            help::draw(pen, frame.body, *scroll);
            None
        }
        Some(Overlay::Language(samples)) => {
            language::draw(pen, frame.body, samples);
            None
        }
        Some(Overlay::Values(table)) => {
            values::draw(pen, frame.body, table);
            None
        }
        Some(Overlay::Findings(of)) => {
            super::findings::draw(pen, frame.pane, *of);
            None
        }
        Some(Overlay::Picker(list)) => picker::draw(pen, frame.body, list),
        Some(Overlay::Naming(naming)) => picker::name(pen, frame.body, naming),
        Some(Overlay::Save(dialog)) => save::draw(pen, frame.body, dialog),
        Some(Overlay::Chips(_)) => None,
        Some(Overlay::Palette(found)) => palette::draw(pen, frame.body, found),
        Some(Overlay::Copy(copied)) => {
            copy::draw(pen, frame.body, copied);
            None
        }
        None => cursor,
    }
}

/// What the scaffolding's glyphs become where only ASCII can be drawn.
const PLAIN: &[(char, &str)] = &[
    ('─', "-"),
    ('━', "="),
    ('╸', "-"),
    ('│', "|"),
    ('├', "|"),
    ('└', "`"),
    ('╵', "|"),
    ('▌', "|"),
    ('▏', "|"),
    ('▎', "|"),
    ('▍', "|"),
    ('▕', "|"),
    ('█', "#"),
    ('░', "."),
    ('▁', "_"),
    ('▂', "_"),
    ('▃', "-"),
    ('▄', "-"),
    ('▅', "="),
    ('▆', "="),
    ('▇', "#"),
    ('▲', "!"),
    ('✗', "x"),
    ('≡', "="),
    ('▾', "v"),
    ('▸', ">"),
    ('▴', "^"),
    ('◆', "*"),
    ('●', "*"),
    ('○', "o"),
    ('·', "-"),
    ('×', "x"),
    ('•', "*"),
    ('…', "~"),
    ('‥', ":"),
    ('–', "-"),
    ('→', ">"),
    ('←', "<"),
    ('↑', "^"),
    ('⇡', "^"),
    ('↓', "v"),
    ('⏎', "<"),
    ('⇧', "^"),
    ('µ', "u"),
    ('‹', "<"),
    ('›', ">"),
];

/// Replaces what is not ASCII, cell by cell. What has no likeness becomes a question mark.
fn ascii(buffer: &mut Buffer, area: Rect) {
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let Some(cell) = buffer.cell_mut((x, y)) else { continue };
            if cell.symbol().is_ascii() {
                continue;
            }
            let first = cell.symbol().chars().next();
            let plain = PLAIN.iter().find(|(glyph, _)| Some(*glyph) == first);
            cell.set_symbol(plain.map_or("?", |(_, plain)| plain));
        }
    }
}
