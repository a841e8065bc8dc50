//! Listening sockets: opened at once where they can be, tried again where not.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol as Transport, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::config::Limits;
use super::connection::{Connection, Shared};
use super::{Protocol, holder};
use crate::model::{Door, DoorState, Nanos, SourceId};

const BACKLOG: i32 = 1024;
/// How often a free port is looked for that both loopback addresses have.
const PORT_TRIES: usize = 16;
/// The pause after the system could not give another socket (too many open files).
const BREATHER: Duration = Duration::from_millis(100);

/// One address, with its listening socket or the reason why there is none.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    pub(super) socket: io::Result<std::net::TcpListener>,
}

impl Place {
    fn open(address: SocketAddr) -> Self {
        let socket = listen(address);
        let bound = socket.as_ref().ok().and_then(|socket| socket.local_addr().ok());
        Self { address: bound.unwrap_or(address), socket }
    }

    /// How it stands, for display. Who holds a busy port is found out later.
    pub(super) fn door(&self) -> Door {
        let state = match &self.socket {
            Ok(_) => DoorState::Open,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                DoorState::Busy { holder: None, next_try: Nanos::ZERO }
            }
            Err(error) => DoorState::Failed { error: error.to_string() },
        };
        Door { address: self.address, state }
    }

    /// Whether this machine has no such address, as one without IPv6 has no `::1`.
    fn is_missing(&self) -> bool {
        use io::ErrorKind::{AddrNotAvailable, Unsupported};
        self.socket.as_ref().is_err_and(|error| matches!(error.kind(), AddrNotAvailable | Unsupported))
    }
}

/// Opens the addresses of one door. One of several that this machine does not have is left out; several with
/// port 0 get the same free port.
pub(super) fn open(addresses: &[SocketAddr]) -> Vec<Place> {
    let mut places = Vec::new();
    for _ in 0..PORT_TRIES {
        places = open_once(addresses);
        let clash = |place: &Place| {
            let wished = addresses.contains(&place.address);
            !wished && place.door().state != DoorState::Open && !place.is_missing()
        };
        if !places.iter().any(clash) {
            break;
        }
    }
    if places.iter().any(|place| !place.is_missing()) {
        places.retain(|place| !place.is_missing());
    }
    places
}

fn open_once(addresses: &[SocketAddr]) -> Vec<Place> {
    let mut chosen = None;
    let mut places = Vec::new();
    for address in addresses {
        let wish = match (address.port(), chosen) {
            (0, Some(port)) => SocketAddr::new(address.ip(), port),
            _ => *address,
        };
        let place = Place::open(wish);
        if address.port() == 0 && place.socket.is_ok() {
            chosen = Some(place.address.port());
        }
        places.push(place);
    }
    places
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Transport::TCP)).map_err(no_family)?;
    // Connections of an earlier run that still linger must not keep the port; a listener of another program
    // does, whatever address of ours it is on.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Names the error of a kernel without IPv6, for which the standard library has no kind.
fn no_family(error: io::Error) -> io::Error {
    /// `EAFNOSUPPORT` on Linux, on the BSDs and macOS, on Windows.
    const NO_FAMILY: [i32; 3] = [97, 47, 10047];
    match error.raw_os_error() {
        Some(code) if NO_FAMILY.contains(&code) => io::Error::new(io::ErrorKind::Unsupported, error),
        _ => error,
    }
}

/// A door that is kept open.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) shared: Arc<Shared>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) limits: Limits,
    pub(super) source: SourceId,
    pub(super) protocol: Protocol,
}

impl Keeper {
    /// Opens `place` if it is not open, however often it takes, and serves who comes. Never ends by itself.
    pub(super) async fn keep(self, place: Place) {
        let address = place.address;
        let listener = self.obtain(place).await;
        self.show(address, DoorState::Open);
        let mut connections = JoinSet::new();
        loop {
            let permit = self.permit(address).await;
            let accepted = loop {
                tokio::select! {
                    accepted = listener.accept() => break accepted,
                    Some(_) = connections.join_next() => {}
                }
            };
            let Ok((stream, peer)) = accepted else {
                sleep(BREATHER).await;
                continue;
            };
            // Without it small answers may wait for 40 ms; where it fails they just do.
            let _ = stream.set_nodelay(true);
            let connection =
                Connection::new(Arc::clone(&self.shared), self.source, self.protocol, address.port(), peer);
            connections.spawn(async move {
                connection.serve(stream).await;
                drop(permit);
            });
        }
    }

    async fn obtain(&self, place: Place) -> TcpListener {
        let Place { address, mut socket } = place;
        let mut pause = self.limits.retry;
        loop {
            let error = match socket.and_then(TcpListener::from_std) {
                Ok(listener) => return listener,
                Err(error) => error,
            };
            self.show(address, self.closed(address, &error, pause).await);
            self.wait(pause).await;
            pause = pause.saturating_mul(2).min(self.limits.retry_cap);
            socket = listen(address);
        }
    }

    /// Waits for the next try, or until a person asks for it.
    async fn wait(&self, pause: Duration) {
        let Some(mut control) = self.shared.reading.feed.board().control(self.source) else {
            return sleep(pause).await;
        };
        tokio::select! {
            () = sleep(pause) => {}
            _ = control.changed() => {}
        }
    }

    async fn closed(&self, address: SocketAddr, error: &io::Error, pause: Duration) -> DoorState {
        if error.kind() != io::ErrorKind::AddrInUse {
            return DoorState::Failed { error: error.to_string() };
        }
        let holder = tokio::task::spawn_blocking(move || holder::holder(address)).await.ok().flatten();
        let next_try = Nanos(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX));
        DoorState::Busy { holder, next_try }
    }

    fn show(&self, address: SocketAddr, state: DoorState) {
        self.shared.reading.feed.board().set_door(self.source, address, state);
    }

    /// Room for one more connection.
    async fn permit(&self, address: SocketAddr) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Some(permit);
        }
        let what = format!("{} connections are open, which is the limit; more", self.limits.connections);
        let advice = "new connections wait until one is closed: look for a sender that opens one for each export";
        let note = crate::source::Note { what, advice: advice.to_owned(), peer: address };
        self.shared.reading.feed.mishap(&note);
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::on_loopback;
    use super::*;

    #[test]
    fn free_port_is_the_same_on_both_loopback_addresses() {
        let places = open(&on_loopback(0));
        assert!(places.iter().all(|place| place.socket.is_ok()));
        assert!(places.iter().all(|place| place.address.port() == places[0].address.port()));
        assert_ne!(places[0].address.port(), 0);
    }

    #[test]
    fn missing_address_beside_a_good_one_is_left_out() {
        let absent = SocketAddr::from(([192, 0, 2, 1], 0));
        let good = SocketAddr::from(([127, 0, 0, 1], 0));
        let places = open(&[good, absent]);
        assert_eq!(places.len(), 1);
        let places = open(&[absent]);
        assert!(matches!(places[0].door().state, DoorState::Failed { .. }));
    }

    #[test]
    fn port_held_on_every_address_is_busy() {
        let other = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let places = open(&[SocketAddr::from(([127, 0, 0, 1], port))]);
        assert!(matches!(places[0].door().state, DoorState::Busy { .. }));
    }
}
