//! Who holds a port, where the system tells (Linux: `/proc`). Elsewhere, and for other users' processes,
//! nobody knows.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// Processes and descriptors looked at, at most.
const PROCESSES: usize = 8192;
const DESCRIPTORS: usize = 4096;

/// The program that listens where `wanted` cannot, as `otelcol (pid 4711)`.
pub(super) fn holder(wanted: SocketAddr) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, wanted))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse::<u32>().ok()?;
        Some((pid, entry.path()))
    });
    let (pid, path) = processes.take(PROCESSES).find(|(_, path)| holds(path, &inodes))?;
    let name = fs::read_to_string(path.join("comm")).ok()?;
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    Some(format!("{name} (pid {pid})"))
}

fn holds(process: &Path, inodes: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors
        .flatten()
        .take(DESCRIPTORS)
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| inodes.iter().any(|inode| target.as_os_str() == inode.as_str()))
}

/// The inodes of the sockets in a table of `/proc/net/tcp` (see `proc(5)`) that listen in the way of `wanted`.
fn listeners(table: &str, wanted: SocketAddr) -> Vec<String> {
    const LISTEN: &str = "0A";
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (address, port) = fields.nth(1)?.split_once(':')?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let held = parse_address(address)?;
        let in_the_way = held.is_unspecified() || wanted.ip().is_unspecified() || held == wanted.ip();
        (state == LISTEN && port == wanted.port() && in_the_way).then(|| inode.to_owned())
    };
    table.lines().skip(1).filter_map(line).collect()
}

/// The kernel prints each 32-bit word of an address in the machine's byte order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let words = hex
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<Vec<_>>>()?
        .concat();
    match words.len() {
        4 => <[u8; 4]>::try_from(words).ok().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        16 => <[u8; 16]>::try_from(words).ok().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn own_listener_is_found_by_name_and_pid() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let found = holder(listener.local_addr().unwrap()).unwrap();
        assert!(found.ends_with(&format!("(pid {})", std::process::id())), "{found}");
    }

    #[test]
    fn listener_on_every_address_is_in_the_way_of_loopback() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(holder(SocketAddr::from(([127, 0, 0, 1], port))).is_some());
    }

    #[test]
    fn lines_that_are_not_listeners_or_make_no_sense_are_passed_over() {
        let wanted = SocketAddr::from(([127, 0, 0, 1], 0x10dd));
        let address = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let table = format!(
            "head\n0: {address}:10DD 00000000:0000 01 0:0 00:0 0 0 0 11\nrubbish\n: : :\n\
             1: {address}:10DD 00000000:0000 0A 0:0 00:0 0 0 0 12 1\n2: 0200007F:10DD 0:0 0A 0:0 00:0 0 0 0 13\n"
        );
        assert_eq!(listeners(&table, wanted), ["12"]);
    }
}
