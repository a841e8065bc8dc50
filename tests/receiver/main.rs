//! The receiver over real sockets, with a stand-in for the index.

#[cfg(test)]
mod cors;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod http;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod zipkin;
