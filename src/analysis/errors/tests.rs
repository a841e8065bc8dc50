//! What failures are found in traces written by hand, and the laws of groups.
