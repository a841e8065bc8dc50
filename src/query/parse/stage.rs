//! Stages of the pipeline, and advice to a server.

use super::ParseError;
use super::bare;
use super::braces::{About, expression, number};
use super::check;
use super::cursor::Cursor;
use crate::query::StageAt;
use crate::query::literal::Literal;
use crate::query::spans::{Aggregate, FieldExpr, Stage};

/// Metrics over time: there is no screen for them.
const METRICS: [&str; 12] = [
    "rate",
    "count_over_time",
    "min_over_time",
    "max_over_time",
    "avg_over_time",
    "sum_over_time",
    "quantile_over_time",
    "histogram_over_time",
    "compare",
    "topk",
    "bottomk",
    "top",
];

/// Every stage from here on; `bare`: there is nothing they could work on.
pub(super) fn stages(cursor: &mut Cursor<'_>, bare: bool) -> Result<Vec<StageAt>, ParseError> {
    let mut stages = Vec::new();
    loop {
        cursor.skip_space();
        if cursor.peek() != Some('|') {
            return Ok(stages);
        }
        if bare {
            return Err(cursor.fault(cursor.at, "a filter before the `|` (`{}` is every span)"));
        }
        cursor.eat("|");
        cursor.skip_space();
        let start = cursor.at;
        let stage = stage(cursor)?;
        stages.push(StageAt { stage, at: (start, cursor.at) });
    }
}

/// A comparison of aggregates that stands alone, as in `count() > 10`: it is about all spans of a trace.
pub(super) fn lone(cursor: &mut Cursor<'_>) -> Option<StageAt> {
    let mut ahead = cursor.clone();
    ahead.skip_space();
    let start = ahead.at;
    Aggregate::NAMES.iter().find(|(name, _)| ahead.rest().starts_with(name))?;
    let stage = comparison(&mut ahead).ok()?;
    let at = (start, ahead.at);
    ahead.skip_space();
    matches!(ahead.peek(), None | Some('|')).then(|| {
        *cursor = ahead;
        StageAt { stage: Stage::Aggregate(stage), at }
    })
}

/// Whether a filter of this text is such a comparison.
pub(in crate::query) fn is_lone(text: &str) -> bool {
    lone(&mut Cursor::new(text)).is_some()
}

fn stage(cursor: &mut Cursor<'_>) -> Result<Stage, ParseError> {
    let at = cursor.at;
    if cursor.rest().trim_start_matches(['(', ' ', '\t', '\n']).starts_with('{') {
        return bare::sets_of_stage(cursor).map(Stage::Filter);
    }
    let mut ahead = cursor.clone();
    let name = ahead.take_while(|symbol| symbol.is_alphanumeric() || symbol == '_');
    ahead.skip_space();
    let called = ahead.peek() == Some('(');
    if called && METRICS.contains(&name) {
        let what = format!("a stage on spans: `{name}()`, metrics over time, is not supported");
        return Err(cursor.fault(at, what));
    }
    match name {
        "by" | "select" if called => {
            cursor.at = ahead.at;
            let list = list(cursor)?;
            Ok(if name == "by" { Stage::By(list) } else { Stage::Select(list) })
        }
        "coalesce" if called => {
            cursor.at = ahead.at;
            cursor.eat("(");
            cursor.skip_space();
            if cursor.eat(")") { Ok(Stage::Coalesce) } else { Err(cursor.fault(cursor.at, "`)` after `coalesce(`")) }
        }
        _ if called && !name.is_empty() && !Aggregate::NAMES.iter().any(|(known, _)| *known == name) => {
            Err(cursor.fault(at, stages_known()))
        }
        _ => comparison(cursor).map(Stage::Aggregate),
    }
}

fn stages_known() -> &'static str {
    "a stage: by(), select(), coalesce(), `{ }`, or a comparison of count(), avg(), min(), max(), sum(), p50(), p95() or p99()"
}

fn comparison(cursor: &mut Cursor<'_>) -> Result<FieldExpr, ParseError> {
    let at = cursor.at;
    let starts = cursor.peek().is_some_and(|symbol| symbol.is_alphanumeric() || matches!(symbol, '(' | '-' | '!'));
    if !starts {
        return Err(cursor.fault(at, stages_known()));
    }
    let found = expression(cursor, About::Set)?;
    if !found.has_aggregate() {
        return Err(cursor.fault(at, stages_known()));
    }
    if check::logical(&found).is_err() {
        return Err(cursor.fault(cursor.at, "a comparison, such as `> 3`"));
    }
    Ok(found)
}

fn list(cursor: &mut Cursor<'_>) -> Result<Vec<FieldExpr>, ParseError> {
    cursor.eat("(");
    let mut list = Vec::new();
    loop {
        list.push(cursor.down(|cursor| expression(cursor, About::Span))?);
        cursor.skip_space();
        if cursor.eat(")") {
            return Ok(list);
        }
        if !cursor.eat(",") {
            return Err(cursor.fault(cursor.at, "`,` or `)`"));
        }
    }
}

/// Whether `with(` is next.
pub(super) fn hints_follow(cursor: &Cursor<'_>) -> bool {
    cursor.rest().strip_prefix("with").is_some_and(|after| after.trim_start().starts_with('('))
}

/// `with(name=value, …)`
pub(super) fn hints(cursor: &mut Cursor<'_>) -> Result<Vec<(String, Literal)>, ParseError> {
    cursor.eat("with");
    cursor.skip_space();
    cursor.eat("(");
    let mut hints = Vec::new();
    loop {
        cursor.skip_space();
        let at = cursor.at;
        let name = cursor.take_while(|symbol| symbol.is_alphanumeric() || symbol == '_').to_owned();
        cursor.skip_space();
        if name.is_empty() || !cursor.eat("=") {
            return Err(cursor.fault(at, "`name=value` within `with( )`"));
        }
        cursor.skip_space();
        hints.push((name, hint(cursor)?));
        cursor.skip_space();
        if cursor.eat(")") {
            return Ok(hints);
        }
        if !cursor.eat(",") {
            return Err(cursor.fault(cursor.at, "`,` or `)`"));
        }
    }
}

fn hint(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    match cursor.peek() {
        Some('"') => cursor.quoted_text().map(|text| Literal::Text { text, quoted: true }),
        Some('0'..='9') => number(cursor),
        _ if cursor.eat("true") => Ok(Literal::Bool(true)),
        _ if cursor.eat("false") => Ok(Literal::Bool(false)),
        _ => Err(cursor.fault(cursor.at, "true, false, a number or text in quotes")),
    }
}
