//! Statements without their values: the lexer beside what is usually done, a regular expression that replaces literals.

use std::hint::black_box;

use regex::Regex;
use tracefall::analysis::statement::{normalise, query_summary};
use tracefall::model::Category;

use crate::clock::{self, Sample};
use crate::report::{Goal, Report};

/// As real senders write them: short and long, with values in them and with placeholders.
const STATEMENTS: [&str; 5] = [
    "SELECT * FROM patients WHERE id = 17",
    "SELECT id, first_name, last_name, born, insurance_id, created_at, updated_at FROM patients p LEFT JOIN insurance i \
     ON i.patient_id = p.id WHERE p.document_number = $1 AND p.active = TRUE ORDER BY p.created_at DESC LIMIT 20 OFFSET 40",
    "INSERT INTO tasks (title, due, owner) VALUES ('call the doctor back', '2026-01-01T10:00:00Z', 42), ('x', NULL, 43)",
    "SELECT recipe.id AS recipe_id, recipe.title AS recipe_title, recipe.body AS recipe_body FROM recipe WHERE recipe.id IN \
     (1, 2, 3, 4, 5, 6, 7, 8, 9, 10) AND recipe.title ILIKE '%soup%' \
     /*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/",
    "UPDATE sessions SET seen = now(), hits = hits + 1 WHERE id = 'a1b2c3d4-0000-4000-8000-000000000000'",
];
const REPEATED: usize = 10_000;
const ROUNDS: usize = 5;

pub(crate) fn group(report: &mut Report) {
    let literals = Regex::new(r"/\*.*?\*/|'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b").unwrap();
    let bytes = STATEMENTS.iter().map(|text| text.len()).sum::<usize>() * REPEATED;
    let [mut ours, mut summaries, mut naive]: [Sample; 3] = Default::default();
    for _ in 0..ROUNDS {
        ours.push(nanoseconds(|text| normalise(Category::Sql, text).len()));
        summaries.push(nanoseconds(|text| query_summary(text).len()));
        naive.push(nanoseconds(|text| literals.replace_all(text, "?").len()));
    }
    let speed = |sample: &Sample| bytes as f64 * 1e3 / sample.median();
    let row = ("statement_mb_s", "statements normalised by the lexer", "MB/s");
    report.row(row, speed(&ours), Some(Goal::at_least(200.0, 300.0)));
    report.row(("summary_mb_s", "statements summed up by the lexer", "MB/s"), speed(&summaries), None);
    report.row(("statement_regex_mb_s", "literals replaced by a regular expression", "MB/s"), speed(&naive), None);
    let ratio = ("statement_vs_regex", "the lexer against the regular expression");
    report.ratio(ratio, &naive, &ours, Some(Goal::at_least(1.0, 2.0)));
}

/// CPU time for all statements, repeated.
fn nanoseconds(work: impl Fn(&str) -> usize) -> f64 {
    let before = clock::thread();
    for _ in 0..REPEATED {
        for text in STATEMENTS {
            black_box(work(black_box(text)));
        }
    }
    (clock::thread() - before) as f64
}
