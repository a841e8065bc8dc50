//! `query`, `tail`, `services`, `operations`, `attributes` and `assert` as scripts use them: the program itself, over files, over
//! its socket, over servers that keep spans and at its own doors.

#![cfg(unix)]

#[cfg(test)]
#[path = "../common/fixtures.rs"]
mod fixtures;

#[cfg(test)]
#[path = "../remote/fake.rs"]
#[expect(dead_code, reason = "not every bad day of a server is played here")]
mod fake;

#[cfg(test)]
mod asserted;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod export;
#[cfg(test)]
mod files;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod report;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod tail;
