"""All who are measured, in the order of the table."""

from bench.peers import Peer
from bench.peers.aiohttp_peer import Aiohttp
from bench.peers.envoy import Envoy
from bench.peers.flask_poc import FlaskRelay
from bench.peers.go_nethttp import GoAggregator, GoRelay
from bench.peers.haproxy import HAProxy
from bench.peers.krakend import KrakenD
from bench.peers.nginx import Nginx
from bench.peers.shardgate import Shardgate

SUBJECT = Shardgate()
TWO_WORKERS = Shardgate("two workers", workers=2)
GO_RELAY = GoRelay("Go relay", "lean")
GO_RAW = GoAggregator("Go RawMessage", "raw")
PEERS: tuple[Peer, ...] = (
    Nginx(),
    HAProxy(),
    Envoy(),
    GO_RELAY,
    GoRelay("Go ReverseProxy", "standard"),
    GO_RAW,
    GoAggregator("Go map", "map"),
    KrakenD(),
    Aiohttp(),
    FlaskRelay(),
)
