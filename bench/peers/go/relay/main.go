// Command relay is a reverse proxy on net/http as a careful Go engineer writes it.
//
// -handler lean is a handler of our own on a pooled Transport, the quicker one; -handler standard is httputil.ReverseProxy
// with the same Transport and a buffer pool.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

const pieceBytes = 32 << 10

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "")
	shard := flag.String("shard", "127.0.0.1:8081", "host and port")
	handler := flag.String("handler", "lean", "lean or standard")
	flag.Parse()
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:          4096,
		MaxIdleConnsPerHost:   4096,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		DisableCompression:    true,
	}
	var serves http.Handler = &lean{host: *shard, transport: transport}
	if *handler == "standard" {
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: *shard})
		proxy.Transport = transport
		proxy.BufferPool = pieces{}
		serves = proxy
	}
	server := &http.Server{Addr: *listen, Handler: serves, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 75 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// lean relays without cloning the request.
type lean struct {
	host      string
	transport *http.Transport
}

func (l *lean) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := *r.URL
	target.Scheme, target.Host = "http", l.host
	header := r.Header // ours alone: nobody reads the request's again
	dropHopByHop(header)
	if peer, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		header["X-Forwarded-For"] = []string{peer}
	}
	sent := (&http.Request{
		Method: r.Method, URL: &target, Header: header, Host: r.Host,
		Body: r.Body, ContentLength: r.ContentLength, ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(r.Context())
	if r.ContentLength == 0 {
		sent.Body = nil // else the transport could not repeat it on a connection that turned out stale
	}
	reply, err := l.transport.RoundTrip(sent)
	if err != nil {
		http.Error(w, "the shard does not answer", http.StatusBadGateway)
		return
	}
	defer reply.Body.Close()
	dropHopByHop(reply.Header)
	into := w.Header()
	for name, values := range reply.Header {
		into[name] = values
	}
	w.WriteHeader(reply.StatusCode)
	piece := pieces{}.Get()
	defer pieces{}.Put(piece)
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, reply.Body, piece); err != nil {
		panic(http.ErrAbortHandler) // the client must see that the reply is not whole
	}
}

// dropHopByHop follows RFC 9110 section 7.6.1.
func dropHopByHop(header http.Header) {
	for _, value := range header["Connection"] {
		for _, name := range strings.Split(value, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range [...]string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade",
	} {
		delete(header, name)
	}
}

// pieces is a pool of copy buffers.
type pieces struct{}

var pool = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

func (pieces) Get() []byte      { return pool.Get().(*[pieceBytes]byte)[:] }
func (pieces) Put(piece []byte) { pool.Put((*[pieceBytes]byte)(piece)) }
