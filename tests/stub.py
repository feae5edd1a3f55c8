"""A shard as a process of its own: `python -m tests.stub PORT` answers every GET with its port, until it is killed."""

import socket
import sys
import threading

BODY = b'{"shard":%d}'


def serve(connection: socket.socket, port: int) -> None:
    body = BODY % port
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    received = b""
    with connection:
        while data := connection.recv(65536):
            received += data
            while b"\r\n\r\n" in received:
                received = received.partition(b"\r\n\r\n")[2]
                connection.sendall(answer)


def main() -> None:
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
        port = listening.getsockname()[1]
        print(port, flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, port), daemon=True).start()


if __name__ == "__main__":
    main()
