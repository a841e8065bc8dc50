//! The verdict in words, for the screen and for what leaves it.

use std::borrow::Cow;

use super::figures::{count, share};
use super::findings::{Finding, Rule, Severity};
use super::statement;
use super::tree::Analysis;
use super::verdict::{Clause, Says};
use super::work::Work;
use crate::model::Category;

/// Between what stands out and where the time went.
const APART: &str = "   ";

/// What a word is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something failed.
    Error,
    /// Something costs much.
    Slow,
    /// What is to be read.
    Plain,
    /// What is said beside.
    Dim,
}

/// A piece of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As it is read. May hold control characters and secrets of the data.
    pub text: String,
    /// What it is about.
    pub tone: Tone,
    /// It is to stand out.
    pub strong: bool,
    /// It names the place that proves it; may be as long as a statement.
    pub subject: bool,
}

impl Word {
    fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, strong: false, subject: false }
    }

    fn strong(text: impl Into<String>, tone: Tone) -> Self {
        Self { strong: true, ..Self::new(text, tone) }
    }

    fn subject(text: impl Into<String>, tone: Tone) -> Self {
        Self { subject: true, ..Self::strong(text, tone) }
    }
}

/// What stands before a clause, by the one `before` it.
#[must_use]
pub fn lead(analysis: &Analysis, before: Option<&Clause>, clause: &Clause) -> &'static str {
    match (before.map(|before| before.says), clause.says) {
        (None, Says::Time { .. }) => path_lead(analysis, true),
        (None, _) => "",
        (Some(Says::Time { .. }), Says::Time { .. }) => " · ",
        (Some(_), Says::Time { .. }) => path_lead(analysis, false),
        (Some(_), _) => APART,
    }
}

/// Said before where the time went: of what, where that is not the whole trace.
fn path_lead(analysis: &Analysis, first: bool) -> &'static str {
    let whole = u128::from(analysis.verdict.whole.0) * 100 >= u128::from(analysis.duration().0) * 99;
    match (whole, analysis.roots.len() > 1, first) {
        (true, _, true) => "on the path: ",
        (true, _, false) => "   on the path: ",
        (false, false, true) => "on the path of the root: ",
        (false, false, false) => "   on the path of the root: ",
        (false, true, true) => "on the path of the longest root: ",
        (false, true, false) => "   on the path of the longest root: ",
    }
}

/// A clause of the verdict in words.
#[must_use]
pub fn words(analysis: &Analysis, clause: &Clause) -> Vec<Word> {
    let label = |normal: bool| label(analysis, clause.node, normal);
    match clause.says {
        Says::FailedFirst { count: failed, finding } => {
            if let Some(finding) = finding.and_then(|finding| analysis.findings.get(finding)) {
                return told(finding, ("✗ ", Tone::Error));
            }
            let service = analysis.span(clause.node).map_or("", |span| &*span.service);
            let mut words = vec![
                Word::strong("✗ failed first: ", Tone::Error),
                Word::subject(label(false), Tone::Error),
                Word::new(format!(" in {service}"), Tone::Plain),
            ];
            if failed > 1 {
                words.push(Word::new(format!(" · {} spans failed", count(failed.into())), Tone::Dim));
            }
            words
        }
        Says::Found(finding) => {
            let Some(finding) = analysis.findings.get(finding) else { return Vec::new() };
            told(finding, mark(finding))
        }
        Says::SlowSql { duration, percent, count: calls } => {
            let more = if calls > 1 { format!(" · {} calls are slow", count(calls.into())) } else { String::new() };
            vec![
                Word::strong(format!("▲ {percent} % is one statement: "), Tone::Slow),
                Word::subject(label(false), Tone::Slow),
                Word::strong(format!(" {duration}"), Tone::Slow),
                Word::new(more, Tone::Dim),
            ]
        }
        Says::Repeated { count: times, sum } => {
            let whole = analysis.duration();
            // What ran in several places at once took more than there was time: that is no share.
            let share = if sum > whole { String::new() } else { format!(", {} %", share(sum, whole)) };
            vec![
                Word::strong(format!("≡ the same call ×{}: ", count(times.into())), Tone::Slow),
                Word::subject(label(true), Tone::Slow),
                Word::new(format!(" {sum} in all{share}"), Tone::Dim),
            ]
        }
        Says::Time { work, time, percent } => {
            let tone = if is_loud(analysis, work) { Tone::Slow } else { Tone::Dim };
            let mut words = vec![Word::new(format!("{} {percent} %", name(work)), tone)];
            // Where nothing stands out, the first says where most of the time went.
            let is_first = analysis.verdict.clauses.first() == Some(clause);
            if let Some(place) = analysis.nodes.get(clause.node as usize).filter(|_| is_first) {
                for word in &mut words {
                    word.tone = Tone::Plain;
                }
                words.push(Word::new(format!(", {time}, most in "), Tone::Dim));
                words.push(Word { strong: false, ..Word::subject(label(false), Tone::Plain) });
                // A call is waited for with all that is done for it.
                let is_answer = matches!(work, Work::HttpOut | Work::Rpc | Work::Messaging);
                let longest = if is_answer { place.path } else { place.path_self };
                words.push(Word::new(format!(" {longest}"), Tone::Plain));
            }
            words
        }
    }
}

/// A failure that went no further is not loud.
fn mark(finding: &Finding) -> (&'static str, Tone) {
    match (finding.rule, finding.severity) {
        (Rule::Swallowed, _) => ("✗ ", Tone::Dim),
        (_, Severity::Error) => ("✗ ", Tone::Error),
        _ => ("▲ ", Tone::Slow),
    }
}

/// A finding in its own words, with what it is about as the subject.
fn told(finding: &Finding, (mark, tone): (&'static str, Tone)) -> Vec<Word> {
    let mut words = vec![Word::strong(mark, tone)];
    match finding.why.split_once(finding.what.as_str()).filter(|_| !finding.what.is_empty()) {
        Some((before, after)) => {
            words.push(Word::strong(before, tone));
            words.push(Word::subject(finding.what.as_str(), tone));
            words.push(Word::new(after, tone));
        }
        None => words.push(Word::strong(finding.why.as_str(), tone)),
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

/// What a node does, in two words where it is a statement; without its values (`normal`) where it stands for many.
#[must_use]
pub fn label(analysis: &Analysis, node: u32, normal: bool) -> String {
    let Some(span) = analysis.span(node) else { return String::new() };
    let short = statement::summary(span.category, &span.label);
    let text = if normal { statement::normalise(span.category, &short) } else { Cow::Borrowed(&*short) };
    text.into_owned()
}
