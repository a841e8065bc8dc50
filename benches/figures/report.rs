//! The table, and the line of JSON for machines.

use serde_json::{Map, Value};

use crate::clock::Sample;

/// What a figure is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    must: f64,
    reach: f64,
    more: bool,
}

impl Goal {
    /// More is better.
    pub(crate) fn at_least(must: f64, reach: f64) -> Self {
        Self { must, reach, more: true }
    }

    /// Less is better.
    pub(crate) fn at_most(must: f64, reach: f64) -> Self {
        Self { must, reach, more: false }
    }

    fn verdict(self, figure: f64) -> &'static str {
        let holds = |bound: f64| if self.more { figure >= bound } else { figure <= bound };
        match (holds(self.must), holds(self.reach)) {
            (_, true) => "reached",
            (true, false) => "met",
            // What is not a number holds nowhere.
            (false, false) => "NOT MET",
        }
    }
}

/// All figures of a run, printed as they come.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Map<String, Value>,
    missed: Vec<String>,
}

/// One row: the key in JSON, the measure in words, its unit.
pub(crate) type Measure<'a> = (&'a str, &'a str, &'a str);

impl Report {
    pub(crate) fn heading() {
        println!(
            "{:<62} {:>12} {:>12} {:>9} {:>9}  verdict",
            "measure (median, and the best of the rounds)", "median", "best", "must", "reach"
        );
    }

    /// A figure measured once, or exact.
    pub(crate) fn row(&mut self, measure: Measure<'_>, figure: f64, goal: Option<Goal>) {
        self.print(measure, figure, None, goal);
    }

    /// A time or another cost: the median counts, the least is its best.
    pub(crate) fn sample(&mut self, measure: Measure<'_>, sample: &Sample, goal: Option<Goal>) {
        self.print(measure, sample.median(), Some(sample.least()), goal);
    }

    /// How many times less `ours` is than `theirs`: the ratio of the medians counts, that of the least is shown beside it.
    pub(crate) fn ratio(&mut self, (key, what): (&str, &str), theirs: &Sample, ours: &Sample, goal: Option<Goal>) {
        let best = theirs.least() / ours.least();
        self.print((key, what, "x"), theirs.median() / ours.median(), Some(best), goal);
    }

    /// A row that could not be measured here, and why.
    pub(crate) fn skipped(&mut self, (key, what): (&str, &str), why: &str) {
        println!("{what:<62} skipped: {why}");
        self.figures.insert(key.to_owned(), Value::Null);
    }

    fn print(&mut self, (key, what, unit): Measure<'_>, figure: f64, best: Option<f64>, goal: Option<Goal>) {
        let number = |value: f64| format!("{} {unit}", short(value));
        let bound = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| short(value).clone());
        let verdict = goal.map_or("", |goal| goal.verdict(figure));
        println!(
            "{what:<62} {:>12} {:>12} {:>9} {:>9}  {verdict}",
            number(figure),
            best.map_or_else(String::new, number),
            bound(goal.map(|goal| goal.must)),
            bound(goal.map(|goal| goal.reach)),
        );
        if verdict == "NOT MET" {
            self.missed.push(key.to_owned());
        }
        self.figures.insert(key.to_owned(), rounded(figure));
        if let Some(best) = best {
            self.figures.insert(format!("{key}_best"), rounded(best));
        }
    }

    /// Says what was missed, and as the last line everything as one JSON object.
    pub(crate) fn finish(self) {
        if !self.missed.is_empty() {
            println!("not met: {}", self.missed.join(", "));
        }
        println!("{}", Value::Object(self.figures));
    }
}

/// Four digits, as far as they say something.
fn rounded(value: f64) -> Value {
    let digits = (3 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 6);
    let scale = 10_f64.powi(digits);
    let value = (value * scale).round() / scale;
    if value.fract() == 0.0 { (value as i64).into() } else { value.into() }
}

fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 || value.fract() == 0.0 { 0 } else { 2 };
    format!("{value:.digits$}")
}
