//! Text searched.
