//! Reads a span whole, for the detail pane.

use std::sync::Arc;

use crate::app::{Answer, Cell, Highlighted, Language, SpanDetail, plain};
use crate::index::View;
use crate::model::{Attribute, LogRecord, Span, SpanKey, TraceId, Value};
use crate::redact::Redactor;
use crate::semconv;

/// Values longer than this are shown as they are: formatting them would take longer than reading them.
const LONGEST: usize = 256 * 1024;

/// What [`detail`] is asked for.
#[derive(Clone, Copy, Debug)]
pub struct DetailRequest<'a> {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanKey,
    /// Columns to wrap to.
    pub columns: u16,
    /// Masks secrets in what is highlighted.
    pub mask: Option<&'a Redactor>,
}

/// Reads a span with its logs. `highlight` formats text and cuts it into tokens, for so many columns.
#[must_use]
pub fn detail(
    view: &View,
    request: &DetailRequest<'_>,
    highlight: &dyn Fn(Language, &str, u16) -> Highlighted,
) -> Answer {
    let DetailRequest { trace, span: key, .. } = *request;
    let detail = view.span(trace, key).map(|span| {
        let logs = view.logs(trace).into_iter().filter(|log| log.span_id == Some(key.id)).collect();
        Arc::new(compose(span, logs, request, highlight))
    });
    Answer::Detailed { trace, span: key, detail }
}

fn compose(
    span: Span,
    logs: Vec<LogRecord>,
    request: &DetailRequest<'_>,
    highlight: &dyn Fn(Language, &str, u16) -> Highlighted,
) -> SpanDetail {
    let mut highlighted: Vec<(String, Highlighted)> = Vec::new();
    for attribute in &span.attributes {
        let key = attribute.key.lossy().into_owned();
        if let Some((language, text)) = code(&key, attribute, request.mask)
            && !highlighted.iter().any(|(known, _)| *known == key)
        {
            highlighted.push((key, highlight(language, &text, request.columns)));
        }
    }
    let cells = cells(&span, &logs);
    SpanDetail { span, logs, highlighted, cells }
}

/// What can be selected, in the order of the pane.
fn cells(span: &Span, logs: &[LogRecord]) -> Vec<Cell> {
    let is_statement = |attribute: &Attribute| semconv::is_statement_key(&attribute.key.lossy());
    let statement = span.attributes.iter().any(is_statement).then_some(Cell::Statement);
    let mut cells: Vec<Cell> = statement.into_iter().collect();
    cells.extend((0..span.attributes.len()).map(Cell::Attribute));
    cells.extend((0..span.events.len()).map(Cell::Event));
    cells.extend((0..span.links.len()).map(Cell::Link));
    cells.extend((0..logs.len()).map(Cell::Log));
    cells.extend((0..span.resource.attributes.len()).map(Cell::Resource));
    cells.extend((0..span.scope.attributes.len()).map(Cell::Scope));
    cells
}

/// The text of an attribute that is code: a statement, or JSON.
fn code(key: &str, attribute: &Attribute, mask: Option<&Redactor>) -> Option<(Language, String)> {
    let statement = semconv::is_statement_key(key);
    let composite = matches!(attribute.value, Value::Array(_) | Value::Map(_));
    if !statement && !composite && !matches!(&attribute.value, Value::Text(text) if looks_like_json(text.as_bytes())) {
        return None;
    }
    let text = plain::text(key, &attribute.value, mask);
    let json = looks_like_json(text.as_bytes());
    // Document stores have statements that are JSON.
    let language = if json { Language::Json } else { Language::Sql };
    let is_code = (statement || json) && text.len() <= LONGEST;
    is_code.then_some((language, text))
}

fn looks_like_json(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))) && text.len() > 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Token;

    fn plainly(language: Language, text: &str, columns: u16) -> Highlighted {
        Arc::new(vec![vec![(Token::Plain, format!("{language:?} {columns} {text}"))]])
    }

    fn attribute(key: &str, value: &str) -> Attribute {
        Attribute { key: key.into(), value: Value::Text(value.into()) }
    }

    #[test]
    fn statements_and_json_are_highlighted_and_nothing_else() {
        let span = Span {
            attributes: vec![
                attribute("db.statement", "SELECT 1"),
                attribute("note", "{not closed"),
                attribute("body", r#" {"password": "hunter2"} "#),
                attribute("name", "plain"),
                Attribute { key: "list".into(), value: Value::Array(vec![Value::Int(1)]) },
            ],
            ..Span::default()
        };
        let mask = Redactor::default();
        let request = DetailRequest { trace: TraceId::default(), span: span.key(), columns: 40, mask: Some(&mask) };
        let detail = compose(span, Vec::new(), &request, &plainly);
        let shown: Vec<_> =
            detail.highlighted.iter().map(|(key, lines)| (key.as_str(), lines[0][0].1.as_str())).collect();
        assert_eq!(shown[0], ("db.statement", "Sql 40 SELECT 1"));
        assert_eq!(shown[2], ("list", "Json 40 [1]"));
        assert!(shown[1].0 == "body" && !shown[1].1.contains("hunter2"), "{shown:?}");
        assert_eq!(shown.len(), 3);
        assert_eq!(detail.cells.len(), 6);
        assert_eq!(detail.cells[0], Cell::Statement);
    }
}
