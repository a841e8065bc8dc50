//! Findings on the recorded exports of real services: listed, and reviewed by hand against the traces. What is not true of
//! a trace is a defect of the rule.

#[cfg(test)]
mod recorded;
