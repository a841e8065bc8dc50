//! Where the sockets are: one for each running program, named after its process, in a folder of the user's own.
//!
//! The folder is `$XDG_RUNTIME_DIR/tracefall`, or `tracefall-UID` among the temporary files where there is no such directory. A folder
//! that is a link, somebody else's, or writable by others is not used: whoever could put a socket there could answer in its place.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::{env, process};

use rustix::process::geteuid;

/// A socket that another program may listen at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Socket {
    /// Its process.
    pub(super) pid: u32,
    /// Where it is.
    pub(super) path: PathBuf,
}

/// The folder of the sockets, whether or not it is there.
pub(super) fn folder() -> PathBuf {
    let own = |path: &PathBuf| {
        let metadata = fs::metadata(path);
        path.is_absolute() && metadata.is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == geteuid().as_raw())
    };
    match env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(own) {
        Some(runtime) => runtime.join("tracefall"),
        None => env::temp_dir().join(format!("tracefall-{}", geteuid().as_raw())),
    }
}

/// Whether only the user can put something into `folder`.
///
/// # Errors
/// Where it is not, or is not there.
pub(super) fn check(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let wrong = if !metadata.is_dir() {
        "is no directory"
    } else if metadata.uid() != geteuid().as_raw() {
        "belongs to somebody else"
    } else if metadata.mode() & 0o022 != 0 {
        "can be written by others"
    } else {
        return Ok(());
    };
    Err(io::Error::new(ErrorKind::PermissionDenied, format!("{} {wrong}", folder.display())))
}

/// Opens this program's socket in `folder`, which is made where there is none.
///
/// # Errors
/// Where the folder is not safe, or the system refuses.
pub(super) fn bind(folder: &Path) -> io::Result<(UnixListener, PathBuf)> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => check(folder)?,
    }
    let pid = process::id();
    let (path, new) = (folder.join(format!("{pid}.sock")), folder.join(format!(".{pid}.new")));
    remove(&new)?;
    let listener = UnixListener::bind(&new)?;
    // Under its name it is seen only now that it is closed to others and answers: nobody takes it for one that was left behind.
    let ready = fs::set_permissions(&new, Permissions::from_mode(0o600)).and_then(|()| fs::rename(&new, &path));
    if let Err(error) = ready {
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    listener.set_nonblocking(true)?;
    Ok((listener, path))
}

/// The sockets in `folder`, by process; none where there is no such folder.
///
/// # Errors
/// Where the folder is not safe or cannot be read.
pub(super) fn sockets(folder: &Path) -> io::Result<Vec<Socket>> {
    match check(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        checked => checked?,
    }
    let mut sockets = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let pid = entry.file_name().to_str().and_then(|name| name.strip_suffix(".sock")?.parse().ok());
        let is_socket = entry.file_type().is_ok_and(|kind| kind.is_socket());
        if let (Some(pid), true) = (pid, is_socket) {
            sockets.push(Socket { pid, path: entry.path() });
        }
    }
    sockets.sort();
    Ok(sockets)
}

/// Removes what is left of a program that ended without doing so itself.
///
/// # Errors
/// Where it is there and cannot be removed.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folder_that_others_could_write_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        DirBuilder::new().mode(0o700).create(at("good")).unwrap();
        DirBuilder::new().mode(0o700).create(at("open")).unwrap();
        fs::set_permissions(at("open"), Permissions::from_mode(0o770)).unwrap();
        symlink(at("good"), at("link")).unwrap();
        fs::write(at("file"), "").unwrap();
        assert!(check(&at("good")).is_ok());
        for (name, why) in [("open", "written by others"), ("link", "no directory"), ("file", "no directory")] {
            assert!(check(&at(name)).unwrap_err().to_string().contains(why), "{name}");
            assert!(bind(&at(name)).is_err() && sockets(&at(name)).is_err(), "{name}");
        }
        assert_eq!(sockets(&at("none")).unwrap(), []);
    }

    #[test]
    fn socket_is_for_the_user_alone_and_found_by_its_process() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("tracefall");
        let (_listener, path) = bind(&folder).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::write(folder.join("7.sock"), "no socket").unwrap();
        assert_eq!(sockets(&folder).unwrap(), [Socket { pid: process::id(), path }]);
        // One that was left behind by a process of the same number gives way.
        assert!(bind(&folder).is_ok());
    }
}
