// Command stub is N shards that cost next to nothing: every request is answered at once with a reply made beforehand.
//
// One thread on epoll, one port a shard. `GET /v3/events/{id}` is 1 KB, `GET /v3/documents/{id}` 50 KB, and
// `GET /v3/events?made=R&…` a sorted list of R rows: all there are where `limit` has room for more, or else the first of
// many. One shard may answer late, or one request in so many of all. It prints `ready`.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

type conn struct {
	fd      int
	shard   int
	held    []byte // an unfinished request
	unsent  []byte
	waiting bool // for room in the socket
}

type late struct {
	at    time.Time
	conn  *conn
	reply []byte
}

type stub struct {
	epoll   int
	listens map[int]int // socket → shard
	conns   map[int]*conn
	lates   []late // by time
	slow    int
	lateIn  int // one request in so many is late
	asked   int
	delay   time.Duration
	keyed   []byte
	large   []byte
	lists   map[[3]int][]byte // rows, size of the list, shard
	buffer  []byte
}

func main() {
	port := flag.Int("port", 0, "of the first shard, on 127.0.0.1")
	shards := flag.Int("shards", 4, "")
	slow := flag.Int("slow", -1, "the shard that answers late")
	lateIn := flag.Int("late-one-in", 0, "one request in so many is answered late, of all shards together")
	delay := flag.Duration("delay", 200*time.Millisecond, "")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	runtime.LockOSThread()
	s := &stub{
		listens: map[int]int{}, conns: map[int]*conn{}, slow: *slow, lateIn: *lateIn, delay: *delay,
		keyed: document(1024), large: document(50 * 1024), lists: map[[3]int][]byte{}, buffer: make([]byte, 64<<10),
	}
	s.epoll = must(syscall.EpollCreate1(0))
	for shard := range *shards {
		s.listen(*port+shard, shard)
	}
	fmt.Println("ready")
	s.serve()
}

func (s *stub) listen(port, shard int) {
	fd := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0))
	check(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	check(syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	check(syscall.Listen(fd, 4096))
	s.listens[fd] = shard
	s.watch(fd, syscall.EPOLL_CTL_ADD, syscall.EPOLLIN)
}

func (s *stub) watch(fd, operation int, events uint32) {
	check(syscall.EpollCtl(s.epoll, operation, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)}))
}

func (s *stub) serve() {
	events := make([]syscall.EpollEvent, 1024)
	for {
		wait := -1
		if len(s.lates) > 0 {
			wait = max(0, int(time.Until(s.lates[0].at).Milliseconds())+1)
		}
		n, err := syscall.EpollWait(s.epoll, events, wait)
		if err != nil && err != syscall.EINTR {
			check(err)
		}
		for _, event := range events[:max(n, 0)] {
			fd := int(event.Fd)
			if shard, listening := s.listens[fd]; listening {
				s.accept(fd, shard)
			} else if c := s.conns[fd]; c != nil {
				if event.Events&syscall.EPOLLOUT != 0 {
					s.write(c, nil)
				}
				if event.Events&^syscall.EPOLLOUT != 0 {
					s.read(c)
				}
			}
		}
		for len(s.lates) > 0 && !time.Now().Before(s.lates[0].at) {
			if c := s.lates[0].conn; s.conns[c.fd] == c {
				s.write(c, s.lates[0].reply)
			}
			s.lates = s.lates[1:]
		}
	}
}

func (s *stub) accept(listening, shard int) {
	for {
		fd, _, err := syscall.Accept4(listening, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		s.conns[fd] = &conn{fd: fd, shard: shard}
		s.watch(fd, syscall.EPOLL_CTL_ADD, syscall.EPOLLIN)
	}
}

func (s *stub) read(c *conn) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(&s.buffer[0])), uintptr(len(s.buffer)))
	if errno == syscall.EAGAIN {
		return
	}
	if errno != 0 || n == 0 {
		delete(s.conns, c.fd)
		syscall.Close(c.fd)
		return
	}
	data := s.buffer[:n]
	if len(c.held) > 0 {
		data = append(c.held, data...)
		c.held = nil
	}
	for {
		end := bytes.Index(data, []byte("\r\n\r\n"))
		if end < 0 {
			break
		}
		s.answer(c, data[:end])
		data = data[end+4:]
	}
	if len(data) > 0 {
		c.held = bytes.Clone(data)
	}
}

func (s *stub) answer(c *conn, head []byte) {
	reply := s.keyed
	if bytes.HasPrefix(head, []byte("GET /v3/documents/")) {
		reply = s.large
	} else if bytes.HasPrefix(head, []byte("GET /v3/events?")) {
		reply = s.list(head, c.shard)
	}
	s.asked++
	if c.shard == s.slow || s.lateIn > 0 && s.asked%s.lateIn == 0 {
		s.lates = append(s.lates, late{time.Now().Add(s.delay), c, reply})
		return
	}
	s.write(c, reply)
}

func (s *stub) write(c *conn, reply []byte) {
	if c.waiting || len(c.unsent) > 0 {
		c.unsent = append(c.unsent, reply...)
		reply = c.unsent
	}
	for len(reply) > 0 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&reply[0])), uintptr(len(reply)))
		if errno == syscall.EAGAIN {
			c.unsent = bytes.Clone(reply)
			if !c.waiting {
				c.waiting = true
				s.watch(c.fd, syscall.EPOLL_CTL_MOD, syscall.EPOLLIN|syscall.EPOLLOUT)
			}
			return
		}
		if errno != 0 {
			return // the peer has gone; reading says so
		}
		reply = reply[n:]
	}
	c.unsent = nil
	if c.waiting {
		c.waiting = false
		s.watch(c.fd, syscall.EPOLL_CTL_MOD, syscall.EPOLLIN)
	}
}

// manyRows is the size of a list of which a page is shown.
const manyRows = 1000

// number reads a parameter of the request line.
func number(line []byte, name string, without int) int {
	for _, mark := range []string{"?", "&"} {
		if at := bytes.Index(line, []byte(mark+name+"=")); at >= 0 {
			value := line[at+len(mark)+len(name)+1:]
			if end := bytes.IndexAny(value, "& "); end >= 0 {
				value = value[:end]
			}
			count, _ := strconv.Atoi(string(value))
			return count
		}
	}
	return without
}

func (s *stub) list(head []byte, shard int) []byte {
	line := head[:max(0, bytes.IndexByte(head, '\r'))]
	count, total := number(line, "made", 10), manyRows
	if number(line, "limit", 0) > count {
		total = count
	}
	key := [3]int{count, total, shard}
	if s.lists[key] == nil {
		s.lists[key] = list(count, total, shard)
	}
	return s.lists[key]
}

type row struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	VendorID    string  `json:"vendor_id"`
	City        string  `json:"city"`
	Price       int     `json:"price"`
	Currency    string  `json:"currency"`
	Rating      float64 `json:"rating"`
	Description string  `json:"description"`
	UpdatedAt   string  `json:"updated_at"`
}

// list is a shard's sorted rows; those of all shards interleave.
func list(count, total, shard int) []byte {
	rows := make([]row, count)
	for n := range rows {
		rows[n] = row{
			fmt.Sprintf("%032x", n*64+shard), fmt.Sprintf("Walking tour %04d of the old town, %02d", n, shard),
			fmt.Sprintf("%032x", shard), "Lisboa", 4500 + n, "EUR", 4.5,
			strings.Repeat("A guided walk through the old town with a tasting at the end. ", 2), "2026-05-01T10:00:00Z",
		}
	}
	body, err := json.Marshal(rows)
	check(err)
	return reply(body, total)
}

func document(size int) []byte {
	body, err := json.Marshal(map[string]string{"id": strings.Repeat("0", 32), "text": strings.Repeat("x", size-52)})
	check(err)
	return reply(body, manyRows)
}

// reply has the head that a common application server writes.
func reply(body []byte, total int) []byte {
	head := "HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 17:00:00 GMT\r\nserver: uvicorn\r\n" +
		"content-type: application/json\r\nx-total_count: %d\r\ncontent-length: %d\r\n\r\n%s"
	return fmt.Appendf(nil, head, total, len(body), body)
}

func must(value int, err error) int {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "stub:", err)
		os.Exit(1)
	}
}
