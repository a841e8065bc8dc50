//! What became of a body that was handed in.

/// What a body of telemetry carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Signal {
    /// `ExportTraceServiceRequest`.
    Traces,
    /// `ExportLogsServiceRequest`.
    Logs,
    /// `ExportMetricsServiceRequest`.
    Metrics,
}

impl Signal {
    /// The signal's name in lower case, as in OTLP paths.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

/// Why something was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum RejectReason {
    /// A span's trace id has the wrong length or is all zero.
    InvalidTraceId,
    /// A span's own id has the wrong length or is all zero.
    InvalidSpanId,
    /// One span (or log record) of a JSON body could not be read.
    MalformedSpan,
    /// The body's framing is broken; nothing of it was kept.
    MalformedBody,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The body could not be decompressed.
    BadCompression,
    /// The trace already holds a quarter of the budget.
    TraceTooLarge,
    /// There was no room; the sender was told to retry.
    Overload,
    /// The request made no sense: wrong path, method or content type.
    BadRequest,
    /// A person paused the source; the sender was told to retry.
    Paused,
}

impl RejectReason {
    /// Every reason, in the order they are listed on screen.
    pub const ALL: [Self; 10] = [
        Self::InvalidTraceId,
        Self::InvalidSpanId,
        Self::MalformedSpan,
        Self::MalformedBody,
        Self::BodyTooLarge,
        Self::BadCompression,
        Self::TraceTooLarge,
        Self::Overload,
        Self::BadRequest,
        Self::Paused,
    ];

    /// The reason's stable name in JSON output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidTraceId => "invalid_trace_id",
            Self::InvalidSpanId => "invalid_span_id",
            Self::MalformedSpan => "malformed_span",
            Self::MalformedBody => "malformed_body",
            Self::BodyTooLarge => "body_too_large",
            Self::BadCompression => "bad_compression",
            Self::TraceTooLarge => "trace_too_large",
            Self::Overload => "overload",
            Self::BadRequest => "bad_request",
            Self::Paused => "paused",
        }
    }

    /// The reason in words, for a person and for `partial_success.error_message`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::InvalidTraceId => "trace id is not 16 bytes or is all zero",
            Self::InvalidSpanId => "span id is not 8 bytes or is all zero",
            Self::MalformedSpan => "the item could not be read",
            Self::MalformedBody => "the body is broken",
            Self::BodyTooLarge => "the body is larger than the limit",
            Self::BadCompression => "the body could not be decompressed",
            Self::TraceTooLarge => "the trace already holds a quarter of the memory budget",
            Self::Overload => "no room at the moment; retry",
            Self::BadRequest => "not an OTLP request",
            Self::Paused => "the source is paused; retry",
        }
    }
}

/// What became of one body: the answer to its sender is made from this.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Receipt {
    /// Items taken: spans, log records or metric data points. A repeated span counts as accepted.
    pub accepted: u64,
    /// Items refused, by reason; a reason occurs at most once.
    pub rejected: Vec<(RejectReason, u64)>,
    /// Of the accepted: spans that were held already.
    pub duplicates: u64,
}

impl Receipt {
    /// Counts `count` more items refused for `reason`.
    pub fn reject(&mut self, reason: RejectReason, count: u64) {
        if count == 0 {
            return;
        }
        match self.rejected.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, total)) => *total += count,
            None => self.rejected.push((reason, count)),
        }
    }

    /// How many items were refused.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().map(|(_, count)| count).sum()
    }
}
