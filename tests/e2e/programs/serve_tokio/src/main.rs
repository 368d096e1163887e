// SPDX-License-Identifier: Apache-2.0
// serve_tokio PORT BACK_PORT: /N asks one to three times for /call/I/N, and
// answers with N; tasks wander between the runtime's threads.
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn call(back: u16, path: String) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", back)).await?;
    let head = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{back}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

async fn serve(mut stream: TcpStream, back: u16) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or("/0");
        let number: usize = path[1..].parse().unwrap_or(0);
        for nth in 0..=number % 3 {
            call(back, format!("/call/{nth}/{number}")).await?;
        }
        let body = number.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn main() -> std::io::Result<()> {
    let ports: Vec<u16> =
        std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4).enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", ports[0])).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(serve(stream, ports[1]));
        }
    })
}
