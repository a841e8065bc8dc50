//! Columns scanned.
