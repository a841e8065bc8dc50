//! JSON: a request on each line, or requests that go over many.

use std::io::BufRead;

use super::bracket::is_whole;
use super::open::Out;
use super::shape::{self, Shape};
use super::{Limits, Place, whole};
use crate::source::Aside;

/// Reads to the end. Lines are requests of their own unless the first is part of one: then all of them are read together.
/// In a file that grows every line stands for itself: what goes over many has no end there.
pub(super) fn read(input: &mut dyn BufRead, (limits, follow, aside): (Limits, bool, Aside), out: &mut Out<'_>) {
    let limit = limits.piece;
    let mut lines = Lines { input, limits, aside, number: 0, ended: false };
    let Some(first) = lines.next_filled() else { return };
    let second = match &first.text {
        Ok(text) if !follow && !is_whole(text) => lines.next_filled(),
        _ => None,
    };
    if let (Ok(text), Some(Line { text: Ok(next), .. })) = (&first.text, &second)
        && (text.trim_ascii() == b"[" || !next.starts_with(b"{") || shape::of_json(text) != Shape::Otlp)
    {
        let (place, together) = (Place::Line(first.number), [&text[..], &next[..]].concat());
        out.take_json(place, lines.rest(together), limits.document);
        return;
    }
    let known = [Some(first), second];
    let more = std::iter::from_fn(|| lines.next_filled());
    for Line { number, text } in known.into_iter().flatten().chain(more) {
        let place = Place::Line(number);
        let limit = if number == 1 { limits.document } else { limit };
        if !out.take_json(place, text, limit) {
            return;
        }
    }
}

/// A line with its end, and its number from 1; in words, where it cannot be had.
struct Line {
    number: u64,
    text: Result<Vec<u8>, String>,
}

struct Lines<'a> {
    input: &'a mut dyn BufRead,
    limits: Limits,
    aside: Aside,
    number: u64,
    /// Nothing more can be read.
    ended: bool,
}

impl Lines<'_> {
    /// The next line that is not blank.
    fn next_filled(&mut self) -> Option<Line> {
        loop {
            let line = self.next()?;
            if line.text.as_ref().map_or(true, |text| !text.trim_ascii().is_empty()) {
                return Some(line);
            }
        }
    }

    fn next(&mut self) -> Option<Line> {
        if self.ended {
            return None;
        }
        self.number += 1;
        let mut text = Vec::new();
        // A file of one line is a document, which may be longer than a line.
        let limit = if self.number == 1 { self.limits.document } else { self.limits.piece };
        let read = whole::line(self.input, (limit, &mut self.aside), &mut text);
        let text = match read {
            Ok(0) => return None,
            Ok(_) if text.len() > limit && !text.ends_with(b"\n") => {
                // What cannot be skipped is met again, as an error, by the next line.
                let _ = self.input.skip_until(b'\n');
                Err(format!("it is longer than {limit} bytes (--max-body)"))
            }
            Ok(_) => Ok(text),
            Err(error) => {
                self.ended = true;
                Err(format!("cannot be read, nor what stands behind it: {error}"))
            }
        };
        Some(Line { number: self.number, text })
    }

    /// All that is left, behind `text`.
    fn rest(&mut self, mut text: Vec<u8>) -> Result<Vec<u8>, String> {
        let limit = self.limits.document;
        whole::to_end(self.input, (limit, &mut self.aside), &mut text)
            .map_err(|error| format!("cannot be read: {error}"))?;
        if text.len() > limit {
            return Err(format!("what goes over several lines may have {limit} bytes (a quarter of --memory)"));
        }
        Ok(text)
    }
}
