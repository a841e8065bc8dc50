//! Records as comma-separated values (RFC 4180, with lines that end in a line feed).

use super::Record;

/// The line of names for records like this one.
#[must_use]
pub fn csv_head(record: &Record) -> String {
    record.head().join(",")
}

/// The line of a record. Fields that hold a comma, a quote or a line end are quoted.
#[must_use]
pub fn csv_line(record: &Record) -> String {
    let cells: Vec<String> = record.cells().into_iter().map(quoted).collect();
    cells.join(",")
}

/// A field, in quotes where it needs them.
pub(super) fn quoted(cell: String) -> String {
    if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::*;

    #[test]
    fn only_fields_that_need_quotes_have_them() {
        let line = |value: &str| csv_line(&Record::Value(Value { value: value.to_owned(), spans: 2 }));
        assert_eq!(line("GET /pay"), "GET /pay,2");
        assert_eq!(line("SELECT \"a\", b"), "\"SELECT \"\"a\"\", b\",2");
        assert_eq!(line("two\nlines"), "\"two\nlines\",2");
    }
}
