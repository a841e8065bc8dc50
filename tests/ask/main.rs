//! `query`, `tail`, `services`, `operations`, `attributes` and `assert` as scripts use them: the program itself, over files, over
//! its socket and at its own doors.

#![cfg(unix)]

#[cfg(test)]
#[path = "../common/fixtures.rs"]
mod fixtures;

#[cfg(test)]
mod asserted;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod export;
#[cfg(test)]
mod files;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod tail;
