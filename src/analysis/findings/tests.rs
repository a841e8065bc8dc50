//! Planted and near-miss cases.
