//! A proxy for tunnels, which remembers all that it sees.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::spawn;

/// A proxy on a loopback address. Whatever host is asked for, it leads to one address.
pub struct Tunnel {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// What a proxy saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The heads of requests to it, one a connection.
    pub heads: Vec<String>,
    /// What clients sent through it.
    pub sent: Vec<u8>,
}

impl Tunnel {
    /// Starts it, in front of `target`. It answers with `status_line`, and goes on if that is of a
    /// success.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub fn new(target: SocketAddr, status_line: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        // It ends with the process: it is for tests.
        spawn({
            let seen = Arc::clone(&seen);
            move || {
                for client in listener.incoming().flatten() {
                    let seen = Arc::clone(&seen);
                    spawn(move || serve(&client, target, status_line, &seen));
                }
            }
        });
        Ok(Self { address, seen })
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it saw so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    client: &TcpStream,
    target: SocketAddr,
    status_line: &str,
    seen: &Mutex<Seen>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 && !head.ends_with("\r\n\r\n") {}
    seen.lock().unwrap_or_else(PoisonError::into_inner).heads.push(head);
    let mut writer = client;
    write!(writer, "HTTP/1.1 {status_line}\r\n\r\n")?;
    if !status_line.starts_with('2') {
        return client.shutdown(Shutdown::Both);
    }
    let server = TcpStream::connect(target)?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    spawn(move || {
        let _ = io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 64 << 10];
    loop {
        let len = reader.read(&mut buffer)?;
        if len == 0 {
            return server.shutdown(Shutdown::Both);
        }
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.sent.extend_from_slice(&buffer[..len]);
        drop(seen);
        (&server).write_all(&buffer[..len])?;
    }
}
