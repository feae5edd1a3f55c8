// Command aggregate asks every shard for a list and makes one of them: sorted by name and id, paged, its totals summed.
//
// -rows raw keeps each row as json.RawMessage and decodes its sort keys only, then joins the bytes by hand (json.Marshal
// would parse every row once more). -rows map decodes into map[string]any and encodes again, as aggregating gateways do.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

type rowKey struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type item struct {
	key rowKey
	raw json.RawMessage
	row map[string]any
}

type shardList struct {
	items []item
	total int
	err   error
}

type aggregator struct {
	shards    []string
	asMaps    bool
	transport *http.Transport
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "")
	shards := flag.String("shards", "127.0.0.1:8081", "host:port,…")
	rows := flag.String("rows", "raw", "raw or map")
	flag.Parse()
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:          65536,
		MaxIdleConnsPerHost:   4096,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		DisableCompression:    true,
	}
	a := &aggregator{shards: strings.Split(*shards, ","), asMaps: *rows == "map", transport: transport}
	server := &http.Server{Addr: *listen, Handler: a, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 75 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func (a *aggregator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, offset := number(query, "limit", 1<<30), number(query, "offset", 0)
	query.Del("offset")
	query.Set("limit", strconv.Itoa(offset+limit))
	encoded := query.Encode()
	lists := make([]shardList, len(a.shards))
	var all sync.WaitGroup
	for n, shard := range a.shards[1:] {
		all.Add(1)
		go func() {
			defer all.Done()
			lists[n+1] = a.ask(r, shard, encoded)
		}()
	}
	lists[0] = a.ask(r, a.shards[0], encoded)
	all.Wait()
	count, total := 0, 0
	for _, list := range lists {
		if list.err != nil {
			http.Error(w, "a shard does not answer", http.StatusBadGateway)
			return
		}
		count += len(list.items)
		total += list.total
	}
	items := make([]item, 0, count)
	for _, list := range lists {
		items = append(items, list.items...)
	}
	slices.SortFunc(items, func(x, y item) int {
		return cmp.Or(strings.Compare(x.key.Name, y.key.Name), strings.Compare(x.key.ID, y.key.ID))
	})
	items = items[min(offset, len(items)):min(offset+limit, len(items))]
	body, err := a.encode(items)
	if err != nil {
		http.Error(w, "a row cannot be written", http.StatusBadGateway)
		return
	}
	header := w.Header()
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	header["X-Total_count"] = []string{strconv.Itoa(total)}
	w.Write(body)
}

func number(query url.Values, name string, otherwise int) int {
	if value, err := strconv.Atoi(query.Get(name)); err == nil {
		return value
	}
	return otherwise
}

func (a *aggregator) ask(r *http.Request, shard, query string) shardList {
	header := make(http.Header, len(r.Header))
	for name, values := range r.Header {
		if name != "Connection" && name != "Accept-Encoding" {
			header[name] = values
		}
	}
	sent := (&http.Request{
		Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: shard, Path: r.URL.Path, RawQuery: query},
		Header: header, Host: r.Host, ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(r.Context())
	reply, err := a.transport.RoundTrip(sent)
	if err != nil {
		return shardList{err: err}
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return shardList{err: errors.New(reply.Status)}
	}
	body, err := readAll(reply)
	if err != nil {
		return shardList{err: err}
	}
	total, _ := strconv.Atoi(reply.Header.Get("X-Total_count"))
	items, err := a.decode(body)
	return shardList{items, total, err}
}

func readAll(reply *http.Response) ([]byte, error) {
	if reply.ContentLength < 0 {
		return io.ReadAll(reply.Body)
	}
	body := make([]byte, reply.ContentLength)
	_, err := io.ReadFull(reply.Body, body)
	return body, err
}

func (a *aggregator) decode(body []byte) ([]item, error) {
	if a.asMaps {
		var rows []map[string]any
		if err := json.Unmarshal(body, &rows); err != nil {
			return nil, err
		}
		items := make([]item, len(rows))
		for n, row := range rows {
			id, _ := row["id"].(string)
			name, _ := row["name"].(string)
			items[n] = item{key: rowKey{id, name}, row: row}
		}
		return items, nil
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, err
	}
	items := make([]item, len(rows))
	for n, raw := range rows {
		items[n].raw = raw
		if err := json.Unmarshal(raw, &items[n].key); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (a *aggregator) encode(items []item) ([]byte, error) {
	if a.asMaps {
		rows := make([]map[string]any, len(items))
		for n := range items {
			rows[n] = items[n].row
		}
		return json.Marshal(rows)
	}
	size := 2 + len(items)
	for n := range items {
		size += len(items[n].raw)
	}
	body := append(make([]byte, 0, size), '[')
	for n := range items {
		if n > 0 {
			body = append(body, ',')
		}
		body = append(body, items[n].raw...)
	}
	return append(body, ']'), nil
}
