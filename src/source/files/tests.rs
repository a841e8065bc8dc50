//! Files of every kind, and broken ones.
