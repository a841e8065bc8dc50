//! Asks a running program over its socket.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

use super::answer::Peer;
use super::place::{self, Socket};
use super::protocol::{Ask, Reply, Request, VERSION};
use crate::view::visible;

/// How long the other side may take to greet: a program that is stopped never does.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether a tail is still wanted.
const LOOK_UP: Duration = Duration::from_millis(100);

/// A connection to a running program.
pub(super) struct Client {
    stream: BufReader<UnixStream>,
    pid: u32,
}

impl Client {
    /// Connects to the one that runs, or that with this process id; `None` where none runs. A socket that was left behind is
    /// removed.
    ///
    /// # Errors
    /// Where several run and none is chosen, or the one does not answer as it should.
    pub(super) fn connect(wanted: Option<u32>) -> Result<Option<Self>> {
        let folder = place::folder();
        let sockets = place::sockets(&folder).with_context(|| "the sockets of running programs cannot be looked up")?;
        let mut open: Vec<(u32, UnixStream)> = Vec::new();
        for Socket { pid, path } in sockets.into_iter().filter(|socket| wanted.is_none_or(|pid| socket.pid == pid)) {
            match UnixStream::connect(&path) {
                Ok(stream) => open.push((pid, stream)),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => place::remove(&path)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("tracefall with process id {pid}")),
            }
        }
        if open.len() > 1 {
            let pids: Vec<String> = open.iter().map(|(pid, _)| pid.to_string()).collect();
            bail!("several tracefall run; choose one with --pid: {}", pids.join(", "));
        }
        match (open.pop(), wanted) {
            (Some((pid, stream)), _) => Self::greeted(pid, stream, PATIENCE).map(Some),
            (None, Some(pid)) => bail!("no tracefall with process id {pid} runs that could be asked"),
            (None, None) => Ok(None),
        }
    }

    fn greeted(pid: u32, stream: UnixStream, patience: Duration) -> Result<Self> {
        stream.set_read_timeout(Some(patience))?;
        let mut client = Self { stream: BufReader::new(stream), pid };
        let greeting = client.reply(&mut Vec::new()).or_else(|error| {
            match error.downcast_ref::<io::Error>().map(io::Error::kind) {
                Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
                _ => Err(error),
            }
        });
        match greeting? {
            Some(Reply::Hello { version: VERSION, .. }) => {}
            Some(Reply::Hello { version, .. }) => {
                bail!("tracefall with process id {pid} speaks version {version} of the protocol, this one {VERSION}")
            }
            Some(Reply::Wrong(wrong)) => bail!("tracefall with process id {pid}: {}", visible(&wrong.message)),
            _ => bail!("tracefall with process id {pid} does not answer"),
        }
        Ok(client)
    }

    /// The next reply; `None` at the end. What was read of one before it failed stays in `line`.
    fn reply(&mut self, line: &mut Vec<u8>) -> Result<Option<Reply>> {
        if self.stream.read_until(b'\n', line)? == 0 && line.is_empty() {
            return Ok(None);
        }
        let reply = serde_json::from_slice(line).with_context(|| format!("the answer of process {} is odd", self.pid));
        line.clear();
        reply.map(Some)
    }

    /// Asks, and hands what is answered to `peer`, until that wants no more.
    ///
    /// # Errors
    /// Where the other side breaks off.
    pub(super) fn ask(&mut self, ask: &Ask, peer: &mut dyn Peer) -> Result<()> {
        let endless = matches!(ask, Ask::Tail { .. });
        let stream = self.stream.get_mut();
        stream.set_read_timeout(endless.then_some(LOOK_UP))?;
        let mut request = serde_json::to_vec(&Request { version: VERSION, ask: ask.clone() })?;
        request.push(b'\n');
        stream.write_all(&request).map_err(|error| self.broken_off(&error))?;
        let mut line = Vec::new();
        loop {
            match self.reply(&mut line) {
                Ok(Some(reply)) => {
                    let last = matches!(reply, Reply::End { .. } | Reply::Wrong(_));
                    if !peer.take(reply) || last {
                        return Ok(());
                    }
                }
                Ok(None) if endless => {
                    let _ = writeln!(io::stderr(), "tracefall with process id {} has ended", self.pid);
                    return Ok(());
                }
                Ok(None) => return Err(self.broken_off(&ErrorKind::UnexpectedEof.into())),
                Err(error) => match error.downcast_ref::<io::Error>().map(io::Error::kind) {
                    Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) if endless && !peer.is_gone() => {}
                    Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(()),
                    Some(_) if endless => return Ok(()),
                    _ => return Err(error),
                },
            }
        }
    }

    fn broken_off(&self, error: &io::Error) -> anyhow::Error {
        anyhow!("tracefall with process id {} broke off its answer: {error}", self.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_stopped_is_told_of_by_its_process_id() {
        let (_stopped, stream) = UnixStream::pair().unwrap();
        let told = Client::greeted(7, stream, Duration::from_millis(1)).err().unwrap();
        assert_eq!(told.to_string(), "tracefall with process id 7 does not answer");
    }
}
