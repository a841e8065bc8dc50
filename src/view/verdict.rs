//! The verdict line: what an expert would say of the trace. Each clause is a place to go to.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::format;
use super::look::Role;
use super::pen::{Pen, Piece, cells, shown};
use super::text;
use crate::analysis::findings::{Finding, Severity};
use crate::analysis::{Analysis, Clause, Says, Work, statement};
use crate::app::State;
use crate::model::Category;

/// Cells between what stands out and where the time went.
const APART: &str = "   ";

/// A piece of a clause before it has a colour.
struct Word {
    text: String,
    role: Role,
    emphasis: Modifier,
}

impl Word {
    fn new(text: impl Into<String>, role: Role, emphasis: Modifier) -> Self {
        Self { text: text.into(), role, emphasis }
    }

    fn plain(text: impl Into<String>, role: Role) -> Self {
        Self::new(text, role, Modifier::empty())
    }
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
        let lead = match (before.map(|before| before.says), what.says) {
            (None, Says::Time { .. }) => path_lead(analysis, ""),
            (None, _) => "",
            (Some(Says::Time { .. }), Says::Time { .. }) => " · ",
            (Some(_), Says::Time { .. }) => path_lead(analysis, APART),
            (Some(_), _) => APART,
        };
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

/// Said before where the time went: of what, where that is not the whole trace.
fn path_lead(analysis: &Analysis, apart: &str) -> &'static str {
    let whole = u128::from(analysis.verdict.whole.0) * 100 >= u128::from(analysis.duration().0) * 99;
    match (whole, apart.is_empty()) {
        (true, true) => "on the path: ",
        (true, false) => "   on the path: ",
        (false, true) => "on the path of the longest root: ",
        (false, false) => "   on the path of the longest root: ",
    }
}

fn words(state: &State, analysis: &Analysis, clause: &Clause) -> Vec<Word> {
    let (bold, link) = (Modifier::BOLD, Modifier::BOLD | Modifier::UNDERLINED);
    let label = |normal: bool| label(state, analysis, clause.node, normal);
    match clause.says {
        Says::FailedFirst { count, finding } => {
            if let Some(finding) = finding.and_then(|finding| analysis.findings.get(finding)) {
                return told(state, finding, ("✗ ", Role::Error));
            }
            let service = analysis.span(clause.node).map_or("", |span| &*span.service);
            let mut words = vec![
                Word::new("✗ failed first: ", Role::Error, bold),
                Word::new(label(false), Role::Error, link),
                Word::plain(format!(" in {service}"), Role::Text),
            ];
            if count > 1 {
                words.push(Word::plain(format!(" · {} spans failed", format::count(count.into())), Role::Dim));
            }
            words
        }
        Says::Found(finding) => {
            let Some(finding) = analysis.findings.get(finding) else { return Vec::new() };
            let mark = if finding.severity == Severity::Error { ("✗ ", Role::Error) } else { ("▲ ", Role::Slow) };
            told(state, finding, mark)
        }
        Says::SlowSql { duration, percent, count } => {
            let more =
                if count > 1 { format!(" · {} calls are slow", format::count(count.into())) } else { String::new() };
            vec![
                Word::new(format!("▲ {percent} % is one statement: "), Role::Slow, bold),
                Word::new(label(false), Role::Slow, link),
                Word::new(format!(" {duration}"), Role::Slow, bold),
                Word::plain(more, Role::Dim),
            ]
        }
        Says::Repeated { count, sum } => {
            let share = format::share(sum, analysis.duration());
            vec![
                Word::new(format!("≡ the same call ×{}: ", format::count(count.into())), Role::Slow, bold),
                Word::new(label(true), Role::Slow, link),
                Word::plain(format!(" {sum} in all, {share} %"), Role::Dim),
            ]
        }
        Says::Time { work, time, percent } => {
            let role = if is_loud(analysis, work) { Role::Slow } else { Role::Dim };
            let mut words = vec![Word::plain(format!("{} {percent} %", name(work)), role)];
            // Where nothing stands out, the first says where most of the time went.
            let is_first = analysis.verdict.clauses.first() == Some(clause);
            if let Some(place) = analysis.nodes.get(clause.node as usize).filter(|_| is_first) {
                for word in &mut words {
                    word.role = Role::Text;
                }
                words.push(Word::plain(format!(", {time}, most in "), Role::Dim));
                words.push(Word::new(label(false), Role::Text, Modifier::UNDERLINED));
                words.push(Word::plain(format!(" {}", place.path_self), Role::Text));
            }
            words
        }
    }
}

/// A finding in its own words, with what it is about underlined.
fn told(state: &State, finding: &Finding, (mark, role): (&'static str, Role)) -> Vec<Word> {
    let (bold, link) = (Modifier::BOLD, Modifier::BOLD | Modifier::UNDERLINED);
    let clean = |text: &str| text::visible(&shown(state, text)).into_owned();
    let mut words = vec![Word::new(mark, role, bold)];
    match finding.why.split_once(finding.what.as_str()).filter(|_| !finding.what.is_empty()) {
        Some((before, after)) => {
            words.push(Word::new(clean(before), role, bold));
            words.push(Word::new(text::cut_end(&clean(&finding.what), 60), role, link));
            words.push(Word::plain(clean(after), role));
        }
        None => words.push(Word::new(clean(&finding.why), role, bold)),
    }
    words
}

/// Whether the work is that of the finding which stands out.
fn is_loud(analysis: &Analysis, work: Work) -> bool {
    let findings = analysis.verdict.clauses.iter();
    let mut loud = findings.filter(|clause| matches!(clause.says, Says::SlowSql { .. } | Says::Repeated { .. }));
    let category = loud.next().and_then(|clause| analysis.span(clause.node)).map(|span| span.category);
    match work {
        Work::Sql => category == Some(Category::Sql),
        Work::Database(_) => category == Some(Category::Database),
        Work::HttpOut => category == Some(Category::Http),
        Work::Messaging | Work::Rpc | Work::Own | Work::Unrecorded => false,
    }
}

/// Work in a word or two.
fn name(work: Work) -> &'static str {
    match work {
        Work::Sql => "SQL",
        Work::Database(Some("redis")) => "Redis",
        Work::Database(Some("mongodb" | "mongoose")) => "MongoDB",
        Work::Database(Some("elasticsearch")) => "Elasticsearch",
        Work::Database(Some(system)) => system,
        Work::Database(None) => "database",
        Work::HttpOut => "HTTP out",
        Work::Messaging => "messaging",
        Work::Rpc => "RPC out",
        Work::Own => "own code",
        Work::Unrecorded => "nothing recorded",
    }
}

/// What a node does, in two words where it is a statement; without its values where it stands for many.
fn label(state: &State, analysis: &Analysis, node: u32, normal: bool) -> String {
    let Some(span) = analysis.span(node) else { return String::new() };
    let short = statement::summary(span.category, &span.label);
    let text = if normal { statement::normalise(span.category, &short) } else { Cow::Borrowed(&*short) };
    let shown = shown(state, &text);
    text::cut_end(&text::visible(&shown), 60).into_owned()
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
    let label = label(pen.state, analysis, clause.node, matches!(clause.says, Says::Repeated { .. }));
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
