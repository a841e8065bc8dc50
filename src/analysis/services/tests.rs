//! Who calls whom in traces written by hand, and the laws of reports.
