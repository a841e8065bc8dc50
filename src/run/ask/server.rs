//! The socket at which this program is asked.
//!
//! Everything happens on the runtime's threads, none of it on the one that draws. How many may ask at once, how long a request may
//! be and how long a peer may take to read are bounded; a peer that leaves ends the search for it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::answer::{Held, Peer, answer};
use super::filter::Filter;
use super::place::{self, Socket};
use super::protocol::{Ask, LONGEST_REQUEST, Reply, Request, VERSION, Wrong};
use super::tail::Tail;
use crate::analysis::Thresholds;
use crate::export::Record;
use crate::index::Reader;
use crate::run::clock;

/// Peers that are served at once; others are told so.
const SEATS: usize = 16;
/// Searches at once; others wait.
const SEARCHES: usize = 2;
/// How long a peer may take for its request, and to read what is written.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a tail looks for what is new.
const LOOK_UP: Duration = Duration::from_millis(200);
/// Parts of an answer that are ready before they are written.
const AHEAD: usize = 64;
/// How long the system may be out of something before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// The open socket. Closed, and its file removed, when dropped.
#[derive(Debug)]
pub(in crate::run) struct Door {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        let _ = place::remove(&self.path);
    }
}

/// Opens the socket; from now on what `reader` sees is told at it. Needs a runtime.
///
/// # Errors
/// Where there is no place for it, or that is not safe.
pub(in crate::run) fn open(reader: &Reader, thresholds: Thresholds) -> io::Result<Door> {
    let folder = place::folder();
    let (listener, path) = place::bind(&folder)?;
    let listener = UnixListener::from_std(listener)?;
    let held = Held { reader: reader.clone(), filed: false, thresholds };
    let own = path.clone();
    let task = tokio::spawn(async move {
        tokio::join!(sweep(folder, own), serve(listener, held));
    });
    Ok(Door { path, task })
}

/// Removes what programs left behind that were killed: nobody listens there any more.
async fn sweep(folder: PathBuf, own: PathBuf) {
    let found = tokio::task::spawn_blocking(move || place::sockets(&folder)).await;
    let Ok(Ok(sockets)) = found else { return };
    for Socket { path, .. } in sockets.into_iter().filter(|socket| socket.path != own) {
        let connected = timeout(PATIENCE, UnixStream::connect(&path)).await;
        if matches!(connected, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused) {
            let _ = place::remove(&path);
        }
    }
}

async fn serve(listener: UnixListener, held: Held) {
    let seats = Arc::new(Semaphore::new(SEATS));
    let searches = Arc::new(Semaphore::new(SEARCHES));
    // Dropped with this future, so that no conversation outlives the door.
    let mut guests = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "nobody can be let in at the socket");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            Some(_) = guests.join_next(), if !guests.is_empty() => continue,
        };
        let (held, searches) = (held.clone(), Arc::clone(&searches));
        let seat = Arc::clone(&seats).try_acquire_owned().ok();
        if seat.is_none() && guests.len() > 2 * SEATS {
            continue;
        }
        guests.spawn(async move {
            let said = match &seat {
                Some(_) => converse(stream, held, &searches).await,
                None => send(&mut stream.into_split().1, &[Reply::Wrong(Wrong::new("too many ask at once"))]).await,
            };
            if let Err(error) = said {
                tracing::debug!(%error, "an answer at the socket was broken off");
            }
        });
    }
}

async fn converse(stream: UnixStream, held: Held, searches: &Arc<Semaphore>) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer != geteuid().as_raw() && peer != 0 {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let (read, mut write) = stream.into_split();
    send(&mut write, &[Reply::Hello { version: VERSION, pid: std::process::id() }]).await?;
    let (request, read) = timeout(PATIENCE, request(read)).await??;
    let ask = match request {
        Ok(ask) => ask,
        Err(wrong) => return send(&mut write, &[Reply::Wrong(wrong)]).await,
    };
    tokio::select! {
        said = async {
            match ask {
                Ask::Tail { filter } => tail(held, &filter, &mut write).await,
                ask => whole(held, ask, &mut write, searches).await,
            }
        } => said,
        () = left(read) => Ok(()),
    }
}

/// The request; what is wrong with it, where it cannot be understood.
async fn request(read: OwnedReadHalf) -> io::Result<(Result<Ask, Wrong>, OwnedReadHalf)> {
    let mut read = BufReader::new(read).take(LONGEST_REQUEST);
    let mut line = Vec::new();
    read.read_until(b'\n', &mut line).await?;
    let request = match serde_json::from_slice::<Request>(&line) {
        Ok(Request { version: VERSION, ask }) => Ok(ask),
        Ok(Request { version, .. }) => Err(Wrong::new(format!("version {version} is not spoken here"))),
        Err(_) if line.len() as u64 == LONGEST_REQUEST => Err(Wrong::new("the request is too long")),
        Err(error) => Err(Wrong::new(format!("the request cannot be understood: {error}"))),
    };
    Ok((request, read.into_inner().into_inner()))
}

/// Until the peer closes its side. What it says beyond its request is not heard.
async fn left(mut read: OwnedReadHalf) {
    let mut bytes = [0; 256];
    while read.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
}

/// Writes replies. A peer that does not read them is given up.
async fn send(write: &mut OwnedWriteHalf, replies: &[Reply]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for reply in replies {
        serde_json::to_writer(&mut bytes, reply)?;
        bytes.push(b'\n');
    }
    timeout(PATIENCE, write.write_all(&bytes)).await?
}

/// Answers a request that has an end, searching on a thread of its own.
async fn whole(held: Held, ask: Ask, write: &mut OwnedWriteHalf, searches: &Arc<Semaphore>) -> io::Result<()> {
    let Ok(permit) = Arc::clone(searches).acquire_owned().await else { return Ok(()) };
    let (parts, mut ready) = mpsc::channel(AHEAD);
    let searching = tokio::task::spawn_blocking(move || {
        answer(&held, &ask, &mut Queue { parts, permit: Some(permit) });
    });
    let mut replies = Vec::with_capacity(AHEAD);
    while ready.recv_many(&mut replies, AHEAD).await > 0 {
        send(write, &replies).await?;
        replies.clear();
    }
    let _ = searching.await;
    Ok(())
}

/// A peer on another thread: it has left when nobody takes what is ready.
struct Queue {
    parts: mpsc::Sender<Reply>,
    /// To search. With the first part of the answer the search is over: a peer that reads slowly is not searching.
    permit: Option<OwnedSemaphorePermit>,
}

impl Peer for Queue {
    fn take(&mut self, reply: Reply) -> bool {
        self.permit = None;
        self.parts.blocking_send(reply).is_ok()
    }

    fn is_gone(&self) -> bool {
        self.parts.is_closed()
    }
}

/// Tells of matching traces as they arrive, for as long as the peer listens.
async fn tail(held: Held, filter: &str, write: &mut OwnedWriteHalf) -> io::Result<()> {
    let mut tail = match Filter::read(filter) {
        Ok(filter) => Tail::new(filter, &held.reader.view()),
        Err(wrong) => return send(write, &[Reply::Wrong(wrong)]).await,
    };
    let mut look_up = tokio::time::interval(LOOK_UP);
    look_up.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look_up.tick().await;
        let reader = held.reader.clone();
        let stepped = tokio::task::spawn_blocking(move || {
            let found = tail.step(&reader.view(), clock::now());
            (tail, found)
        });
        let (next, found) = stepped.await?;
        tail = next;
        let replies: Vec<Reply> = found.into_iter().map(|found| Reply::Record(Record::Trace(found))).collect();
        for replies in replies.chunks(AHEAD) {
            send(write, replies).await?;
        }
    }
}
