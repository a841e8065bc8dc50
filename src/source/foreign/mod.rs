//! Formats of others, turned into OTLP protobuf.
//!
//! In: the bytes of a request, an answer or a file. Out: an `ExportTraceServiceRequest`, and how many spans could not
//! be taken. Pure functions: sockets, files and time are for those who call them, and what the spans mean is for those
//! who read them.

pub mod zipkin;
