//! Traces on their way into a file.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::state::{ListRow, Settings};
use crate::analysis::Thresholds;
use crate::export::TraceForm;
use crate::model::TraceId;

/// The dialog that asks what is to be saved, in which form, and where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaveDialog {
    /// What can be saved here.
    pub choices: Vec<SaveWhat>,
    /// Which of them is chosen.
    pub chosen: usize,
    /// The form.
    pub form: TraceForm,
    /// The path that is typed; proposed until then.
    pub text: String,
    /// Where the cursor is in it, in bytes.
    pub cursor: usize,
    /// The path is the person's own: it is not proposed anew.
    pub typed: bool,
    /// Secrets leave as they are.
    pub unmasked: bool,
    /// It is being written.
    pub busy: bool,
    /// Why it was not.
    pub error: Option<String>,
}

/// What can be saved.
#[derive(Clone, Debug, PartialEq)]
pub enum SaveWhat {
    /// The open or the selected trace, and a name for it that a file can have.
    One(TraceId, String),
    /// The marked traces.
    Marked(HashSet<TraceId>),
    /// What the filter finds.
    Listed(Arc<Vec<ListRow>>),
    /// All that is held.
    Everything,
}

/// What `run` is to write.
#[derive(Clone, Debug)]
pub struct SaveRequest {
    /// Which traces.
    pub what: SaveWhat,
    /// The form.
    pub form: TraceForm,
    /// Where to; there must be nothing yet. `~/` is the person's home.
    pub path: PathBuf,
    /// Whose redactor masks secrets; `None`: they leave as they are.
    pub mask: Option<Arc<Settings>>,
    /// When something is worth a word.
    pub thresholds: Thresholds,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Where to.
    pub path: String,
    /// How many traces.
    pub traces: u64,
    /// Their spans.
    pub spans: u64,
}
