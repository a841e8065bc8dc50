//! The verdict line: what an expert would say of the trace. Each clause is a place to go to.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::format;
use super::look::Role;
use super::pen::{Pen, Piece, cells, shown};
use super::text;
use crate::analysis::wording::{self, Tone};
use crate::analysis::{Analysis, Clause, Says};
use crate::app::State;

/// Cells of what a clause is about.
const SUBJECT: usize = 60;

/// A piece of a clause before it has a colour.
struct Word {
    text: String,
    role: Role,
    emphasis: Modifier,
}

/// A clause as it is written: `lead` stands before it and is no part of what is chosen.
struct Phrase {
    clause: usize,
    lead: &'static str,
    words: Vec<Word>,
    /// From the left edge of the line.
    at: u16,
    width: u16,
}

/// The clauses from the first on; where the chosen one would not be in sight, from a later one on.
fn phrases(state: &State, analysis: &Analysis, width: u16, chosen: Option<usize>) -> Vec<Phrase> {
    let mut phrases = Vec::new();
    let mut before: Option<&Clause> = None;
    for (clause, what) in analysis.verdict.clauses.iter().enumerate() {
        let lead = wording::lead(analysis, before, what);
        phrases.push(Phrase { clause, lead, words: words(state, analysis, what), at: 0, width: 0 });
        before = Some(what);
    }
    for phrase in &mut phrases {
        let shown = phrase.words.iter().map(|word| text::width(&text::visible(&word.text))).sum();
        phrase.width = cells(shown);
    }
    loop {
        let mut at = 0;
        for phrase in &mut phrases {
            phrase.at = at + cells(text::width(phrase.lead));
            at = phrase.at + phrase.width;
        }
        let hidden = |phrase: &Phrase| Some(phrase.clause) == chosen && phrase.at + phrase.width > width;
        if phrases.len() < 2 || !phrases.iter().skip(1).any(hidden) {
            return phrases;
        }
        phrases.remove(0);
        if let Some(first) = phrases.first_mut() {
            let time = analysis.verdict.clauses.get(first.clause).is_some_and(|c| matches!(c.says, Says::Time { .. }));
            first.lead = if time { "… on the path: " } else { "… " };
        }
    }
}

fn words(state: &State, analysis: &Analysis, clause: &Clause) -> Vec<Word> {
    wording::words(analysis, clause).into_iter().map(|word| looking(state, &word)).collect()
}

fn looking(state: &State, word: &wording::Word) -> Word {
    let role = match word.tone {
        Tone::Error => Role::Error,
        Tone::Slow => Role::Slow,
        Tone::Plain => Role::Text,
        Tone::Dim => Role::Dim,
    };
    let bold = if word.strong { Modifier::BOLD } else { Modifier::empty() };
    let line = if word.subject { Modifier::UNDERLINED } else { Modifier::empty() };
    let text = if word.subject { subject(state, &word.text) } else { clean(state, &word.text) };
    Word { text, role, emphasis: bold | line }
}

fn clean(state: &State, text: &str) -> String {
    text::visible(&shown(state, text)).into_owned()
}

fn subject(state: &State, text: &str) -> String {
    text::cut_end(&clean(state, text), SUBJECT).into_owned()
}

/// Draws the line; the chosen clause is a selection.
pub(super) fn draw(pen: &mut Pen<'_>, area: Rect, analysis: &Analysis, chosen: Option<usize>) {
    if area.height == 0 {
        return;
    }
    let (x, room) = (area.x + 1, area.width.saturating_sub(2));
    for phrase in phrases(pen.state, analysis, room, chosen) {
        let lead = cells(text::width(phrase.lead));
        let from = x + phrase.at;
        let left = |at: u16| (x + room).saturating_sub(at);
        pen.put((from - lead, area.y), phrase.lead, left(from - lead), pen.style(Role::Dim));
        let mut at = from;
        for word in &phrase.words {
            let style = pen.style(word.role).add_modifier(word.emphasis);
            at += pen.put((at, area.y), &word.text, left(at), style);
        }
        if Some(phrase.clause) == chosen {
            let area = Rect { x: from, width: at - from, ..area };
            pen.select(area);
            pen.calm(area);
        }
    }
}

/// The clause in column `x` from the left edge of the line, which is `width` wide.
pub(super) fn clause_at(state: &State, analysis: &Analysis, (width, x): (u16, u16)) -> Option<usize> {
    let chosen = state.trace.as_ref().and_then(|open| open.clause);
    let at = x.checked_sub(1)?;
    let phrases = phrases(state, analysis, width.saturating_sub(2), chosen);
    phrases.iter().find(|phrase| (phrase.at..phrase.at + phrase.width).contains(&at)).map(|phrase| phrase.clause)
}

/// What stands out most, where it shares its line; empty where nothing does.
pub(super) fn short<'a>(pen: &Pen<'_>, analysis: &'a Analysis) -> Vec<Piece<'a>> {
    let Some(clause) = analysis.verdict.loudest() else { return Vec::new() };
    let normal = matches!(clause.says, Says::Repeated { .. });
    let label = subject(pen.state, &wording::label(analysis, clause.node, normal));
    let (text, role): (String, Role) = match clause.says {
        Says::FailedFirst { .. } => (format!("✗ failed first: {label}"), Role::Error),
        Says::SlowSql { percent, .. } => (format!("▲ {percent} % is {label}"), Role::Slow),
        Says::Repeated { count, sum } => (format!("≡ ×{}: {label} {sum}", format::count(count.into())), Role::Slow),
        Says::Found(finding) => {
            let why = analysis.findings.get(finding).map_or("", |finding| finding.why.as_str());
            (format!("▲ {}", shown(pen.state, why)), Role::Slow)
        }
        Says::Time { .. } => return Vec::new(),
    };
    let style: Style = pen.style(role);
    vec![(text.into(), style)]
}
