//! Counts words.

/// The number of words in a text.
///
/// ```
/// assert_eq!(counting::words("one two"), 2);
/// ```
pub fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn counts() {
        assert_eq!(words(" a b\tc\n"), 3);
    }

    #[test]
    fn talks_over_loopback() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let place = listener.local_addr().unwrap();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                words(&text)
            });
            TcpStream::connect(place).unwrap().write_all(b"three short words").unwrap();
            assert_eq!(server.join().unwrap(), 3);
        }
    }

    #[test]
    fn starts_threads() {
        let (sender, receiver) = mpsc::channel();
        for number in 0..32 {
            let sender = sender.clone();
            thread::spawn(move || sender.send(number).unwrap());
        }
        drop(sender);
        assert_eq!(receiver.iter().sum::<i32>(), 496);
    }

    #[test]
    #[ignore]
    fn is_never_run() {
        unreachable!();
    }
}
