// Command load keeps N connections busy with one request each and times the first byte of every reply.
//
// It must cost less than any gateway that it measures, so it is one thread on epoll and makes no garbage. Without -rate a
// connection sends again as soon as its reply is whole; with -rate requests are due at fixed instants, and their time counts
// from the instant at which they were due, whether or not a connection was free: a slow gateway cannot hide its queue.
//
// It prints `begin` when all connections are warm, and a line of JSON at the end.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// Eight fields, as a partner's client sends them.
const headers = "Host: api.example.com\r\n" +
	"User-Agent: partner-sync/4.2 (linux; x86_64)\r\n" +
	"Accept: application/json\r\n" +
	"Accept-Encoding: gzip, deflate\r\n" +
	"Accept-Language: en-GB,en;q=0.8\r\n" +
	"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZXRwbGFjZSJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\r\n" +
	"Cache-Control: no-cache\r\n" +
	"Connection: keep-alive\r\n"

const trace = "traceparent: 00-4bf92f3577b34da60000000000000000-00f067aa0ba902b7-01\r\n"

const failuresMax = 100 // a gateway that only refuses is not measured

const patienceS = 15

var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

type conn struct {
	fd      int
	request []byte
	due     int64 // when its request was sent, or should have been
	busy    bool
	begun   bool   // the first byte has come
	head    []byte // an unfinished head
	missing int    // bytes of the body still to come; -1: chunked
	tail    []byte // the last bytes of a chunked body
}

type load struct {
	epoll    int
	conns    []*conn
	idle     []*conn
	waiting  []int64 // instants of requests that are due and have no connection
	paced    bool
	idAt     []int // where the request's ids stand
	counter  uint64
	keys     uint64 // ids are one of so many; 0: none comes again
	firsts   []int64
	wholes   []int64
	done     int
	failed   int
	failure  string
	counting bool
	buffer   []byte
}

func main() {
	port := flag.Int("port", 0, "of the gateway, on 127.0.0.1")
	target := flag.String("target", "/v3/events/{id}", "{id} is another one each time")
	connections := flag.Int("connections", 32, "")
	seconds := flag.Float64("seconds", 1, "")
	warm := flag.Float64("warm", 0.3, "seconds before the measured ones")
	rate := flag.Float64("rate", 0, "requests a second; 0: as many as there can be")
	keys := flag.Uint64("keys", 0, "ids are one of so many, by chance; 0: none comes again")
	traced := flag.Bool("trace", false, "add a ninth field that differs each time")
	flag.Parse()

	// A gateway that takes no connection at all must not hold up the rest.
	time.AfterFunc(time.Duration((*warm+*seconds+patienceS)*1e9), func() { fatal("the gateway hangs", syscall.ETIMEDOUT) })
	runtime.GOMAXPROCS(1)
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	request, idAt := makeRequest(*target, *traced)
	l := &load{paced: *rate > 0, idAt: idAt, keys: *keys, buffer: make([]byte, 256<<10)}
	var err error
	if l.epoll, err = syscall.EpollCreate1(0); err != nil {
		fatal("epoll", err)
	}
	for range *connections {
		l.conns = append(l.conns, l.connect(*port, request))
	}
	l.firsts = make([]int64, 0, 1<<20)
	l.wholes = make([]int64, 0, 1<<20)
	l.idle = append(l.idle, l.conns...)
	timer := -1
	interval := int64(0)
	next := now()
	if l.paced {
		interval = int64(1e9 / *rate)
		timer = l.startTimer(interval)
	} else {
		for _, c := range l.conns {
			l.send(c, now())
		}
	}

	began := now() + int64(*warm*1e9)
	end := began + int64(*seconds*1e9)
	events := make([]syscall.EpollEvent, 1024)
	for {
		n, err := syscall.EpollWait(l.epoll, events, 50)
		if err != nil && err != syscall.EINTR {
			fatal("epoll_wait", err)
		}
		at := now()
		if !l.counting && at >= began {
			l.counting = true
			began = at
			end = at + int64(*seconds*1e9)
			fmt.Println("begin")
		}
		if at >= end {
			break
		}
		for _, event := range events[:max(n, 0)] {
			if int(event.Fd) == timer {
				var expired [8]byte
				syscall.Read(timer, expired[:])
				continue
			}
			l.readable(l.conns[event.Pad])
		}
		if l.paced {
			for at = now(); next <= at; next += interval {
				l.waiting = append(l.waiting, next)
			}
			l.assign()
		}
	}
	took := float64(now()-began) / 1e9
	l.report(took)
}

func makeRequest(target string, traced bool) ([]byte, []int) {
	const id = "0123456789abcdef0000000000000000"
	text := bytes.ReplaceAll([]byte("GET "+target+" HTTP/1.1\r\n"+headers), []byte("{id}"), []byte(id))
	if traced {
		text = append(text, trace...)
	}
	text = append(text, "\r\n"...)
	var idAt []int
	for from := 0; ; {
		at := bytes.Index(text[from:], []byte("0000000000000000"))
		if at < 0 {
			return text, idAt
		}
		idAt = append(idAt, from+at)
		from += at + 16
	}
}

func (l *load) connect(port int, request []byte) *conn {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		fatal("socket", err)
	}
	if err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		fatal("connect", err)
	}
	syscall.SetNonblock(fd, true)
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd), Pad: int32(len(l.conns))}
	if err = syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		fatal("epoll_ctl", err)
	}
	return &conn{fd: fd, request: bytes.Clone(request)}
}

func (l *load) startTimer(interval int64) int {
	const nonblocking = 0x800
	fd, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, 1, nonblocking, 0)
	if errno != 0 {
		fatal("timerfd", errno)
	}
	spec := [2]syscall.Timespec{syscall.NsecToTimespec(interval), syscall.NsecToTimespec(interval)}
	_, _, errno = syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if errno != 0 {
		fatal("timerfd", errno)
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, int(fd), &event); err != nil {
		fatal("epoll_ctl", err)
	}
	return int(fd)
}

func (l *load) assign() {
	for len(l.waiting) > 0 && len(l.idle) > 0 {
		c := l.idle[0]
		l.idle = l.idle[1:]
		l.send(c, l.waiting[0])
		l.waiting = l.waiting[1:]
	}
}

func (l *load) send(c *conn, due int64) {
	l.counter++
	// A number that looks like chance and never comes again: ids that count up would be kind to caches.
	scrambled := l.counter * 0x9E3779B97F4A7C15
	if l.keys > 0 {
		scrambled = (scrambled>>16)%l.keys*0x9E3779B97F4A7C15 + 1
	}
	for _, at := range l.idAt {
		hex(c.request[at:at+16], scrambled)
	}
	c.due, c.busy, c.begun = due, true, false
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&c.request[0])), uintptr(len(c.request)))
	if errno != 0 || int(n) != len(c.request) {
		fatal("write", errno)
	}
}

func hex(into []byte, number uint64) {
	for n := range into {
		into[n] = "0123456789abcdef"[number>>60]
		number <<= 4
	}
}

func (l *load) readable(c *conn) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(&l.buffer[0])), uintptr(len(l.buffer)))
	if errno == syscall.EAGAIN {
		return
	}
	if errno != 0 || n == 0 {
		fatal("the gateway closed a connection", errno)
	}
	data := l.buffer[:n]
	if !c.begun {
		c.begun = true
		if l.counting {
			l.firsts = append(l.firsts, now()-c.due)
		}
		c.head = c.head[:0]
		c.missing = 0
	}
	if c.missing == 0 {
		if len(c.head) > 0 {
			data = append(c.head, data...)
		}
		end := bytes.Index(data, []byte("\r\n\r\n"))
		if end < 0 {
			c.head = append(c.head[:0], data...)
			return
		}
		l.readHead(c, data[:end+4])
		data = data[end+4:]
	}
	if c.missing > 0 {
		c.missing -= len(data)
		if c.missing < 0 {
			fatal("a reply is longer than it says", syscall.Errno(0))
		}
	} else if c.missing < 0 {
		c.tail = append(c.tail, data[max(0, len(data)-7):]...)
		c.tail = c.tail[max(0, len(c.tail)-7):]
		if bytes.HasSuffix(c.tail, []byte("\r\n0\r\n\r\n")) {
			c.missing = 0
		}
	}
	if c.missing == 0 {
		l.whole(c)
	}
}

func (l *load) readHead(c *conn, head []byte) {
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
		l.failed++
		l.failure = string(head[:bytes.IndexByte(head, '\r')])
		if l.failed > failuresMax {
			fatal("too many failures: "+l.failure, syscall.Errno(0))
		}
	}
	if length, found := field(head, "content-length"); found {
		c.missing, _ = strconv.Atoi(string(length))
	} else if coding, found := field(head, "transfer-encoding"); found && bytes.EqualFold(coding, []byte("chunked")) {
		c.missing = -1
		c.tail = c.tail[:0]
	} else {
		fatal("a reply without length", syscall.Errno(0))
	}
}

func field(head []byte, name string) ([]byte, bool) {
	for rest := head; ; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return nil, false
		}
		rest = rest[end+1:]
		if len(rest) > len(name) && rest[len(name)] == ':' && bytes.EqualFold(rest[:len(name)], []byte(name)) {
			value := rest[len(name)+1:]
			return bytes.TrimSpace(value[:bytes.IndexByte(value, '\r')]), true
		}
	}
}

func (l *load) whole(c *conn) {
	at := now()
	if l.counting {
		l.done++
		l.wholes = append(l.wholes, at-c.due)
	}
	c.busy = false
	if l.paced {
		l.idle = append(l.idle, c)
	} else {
		l.send(c, at)
	}
}

func (l *load) report(took float64) {
	slices.Sort(l.firsts)
	slices.Sort(l.wholes)
	said := map[string]any{
		"requests": l.done, "seconds": took, "failed": l.failed, "failure": l.failure, "unsent": len(l.waiting),
		"first_p50_us": quantile(l.firsts, 0.5), "first_p99_us": quantile(l.firsts, 0.99),
		"whole_p50_us": quantile(l.wholes, 0.5), "whole_p99_us": quantile(l.wholes, 0.99),
	}
	json.NewEncoder(os.Stdout).Encode(said)
}

func quantile(sorted []int64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(len(sorted)-1, int(float64(len(sorted))*q))]) / 1e3
}

func fatal(what string, err error) {
	fmt.Fprintf(os.Stderr, "load: %s: %v\n", what, err)
	os.Exit(1)
}
