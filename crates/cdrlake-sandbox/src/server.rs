//! The server: a thread a connection, until it is dropped.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::{Certificate, Certificates};
use crate::http::{Request, read_request, write_reply};
use crate::reply::{Breach, Reply};

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A server on a loopback address. It ends when it is dropped.
pub struct Sandbox {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    handler: Box<Handler>,
    tls: Option<Arc<ServerConfig>>,
    requests: Mutex<Vec<(Request, u16)>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

impl Sandbox {
    /// Starts a server of plain http. `port` 0 is any that is free.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn http(
        port: u16,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start(port, None, Box::new(handler))
    }

    /// Starts a server of https that shows `certificate`, and gives that in PEM.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn https(
        port: u16,
        certificates: &Certificates,
        certificate: Certificate,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> io::Result<(Self, String)> {
        let (config, pem) = certificates.server(certificate);
        Ok((Self::start(port, Some(config), Box::new(handler))?, pem))
    }

    fn start(port: u16, tls: Option<Arc<ServerConfig>>, handler: Box<Handler>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            handler,
            tls,
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let accepting = spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Ok(Self { address, scheme, shared, accepting: Some(accepting) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// All requests so far, each with the status of its answer.
    #[must_use]
    pub fn requests(&self) -> Vec<(Request, u16)> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests for a resource, each with the status of its answer.
    #[must_use]
    pub fn requests_for(&self, resource: &str) -> Vec<(Request, u16)> {
        let mut requests = self.requests();
        requests.retain(|(request, _)| request.resource() == resource);
        requests
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

/// A port of this machine that takes connections but never says a word.
pub struct Mute(TcpListener);

impl Mute {
    /// Starts it. Nobody accepts; the system takes connections as long as there is room for them.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub fn new() -> io::Result<Self> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(Self)
    }

    /// Its port.
    ///
    /// # Panics
    ///
    /// If the system does not tell.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    /// Takes up all the room, so that further connections hang: until what this gives is dropped.
    #[must_use]
    pub fn fill(&self) -> Vec<TcpStream> {
        const LONGEST: Duration = Duration::from_millis(200);
        // The fewest that wait at the same time.
        let _ = rustix::net::listen(&self.0, 0);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()));
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, LONGEST).ok()).collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            let Ok(stream) = stream else { continue };
            let shared = Arc::clone(self);
            // A client that leaves ends its thread; so does a long silence.
            spawn(move || {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let _ = shared.serve(&stream, number);
            });
        }
    }

    fn serve(&self, stream: &TcpStream, number: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let is_reset = match &self.tls {
            None => self.talk(&mut BufReader::new(stream), number)?,
            Some(config) => {
                let connection =
                    ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                let mut reader = BufReader::new(StreamOwned::new(connection, stream));
                let is_reset = self.talk(&mut reader, number)?;
                if !is_reset {
                    let tls = reader.get_mut();
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
                is_reset
            }
        };
        if is_reset {
            // Closing with a linger of nothing sends a reset.
            rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
        }
        Ok(())
    }

    /// Answers until the client has left or an answer ends the connection; whether by a reset.
    fn talk<S: Write>(&self, reader: &mut BufReader<S>, number: usize) -> io::Result<bool>
    where
        BufReader<S>: BufRead + Read,
    {
        while let Some(request) = read_request(reader, number)? {
            let reply = (self.handler)(&request);
            self.requests
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((request, reply.status));
            write_reply(reader.get_mut(), &reply)?;
            if !reply.keeps_connection() {
                return Ok(matches!(reply.breach, Breach::Reset(_)));
            }
        }
        Ok(false)
    }
}
