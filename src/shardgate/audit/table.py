"""The table of audit rules, by number: 0x files, 1x the network, 2x clients, 3x logs, 4x work and memory."""

from typing import Final

from shardgate.audit import clients, files, network, work
from shardgate.audit.rule import AuditRule

RULES: Final[tuple[AuditRule, ...]] = (
    AuditRule(
        number="SGA01",
        title="a secret or a private key that others may read",
        why="Whoever reads the cursors' secret can make cursors; whoever reads the secret of tokens can make tokens;"
        " whoever reads a TLS key can be the gateway.",
        cure="`chmod 600 FILE` for a file of the gateway's user, `chmod 640 FILE` for one of root that its group reads"
        " (Kubernetes: `defaultMode: 0440` with `fsGroup`; Docker: `mode: 0440` with `gid`), and replace the secret if"
        " it may have been read",
        find=files.secrets_that_others_may_read,
    ),
    AuditRule(
        number="SGA02",
        title="a store or directory that others may read or change",
        why="The journal has whole requests, with the credentials of clients, and idempotency keys have whole replies."
        " Whoever changes the directory decides which shard gets a client's request.",
        cure="stop the gateway, then `chmod 600` for the file and those beside it that end in `-wal` and `-shm`",
        find=files.stores_that_others_may_read,
    ),
    AuditRule(
        number="SGA03",
        title="a folder in which everybody may replace files",
        why="Another user can put a file of their own in place of a secret, a store or a configuration, or a journal"
        " beside a store, which SQLite then plays back.",
        cure="move the file to a folder of the gateway's user: `install -d -m 700 FOLDER`",
        find=files.folders_that_anybody_may_write,
    ),
    AuditRule(
        number="SGA04",
        title="a configuration or a document that everybody may change",
        why="The configuration names classes, which the gateway runs, and addresses, to which it sends the credentials"
        " of clients.",
        cure="`chmod go-w FILE`",
        find=files.instructions_that_anybody_may_change,
    ),
    AuditRule(
        number="SGA10",
        title="an admin address that other machines reach",
        why="It has no password. `/metrics` names all shards and operations, and how much each is used.",
        cure="listen on `127.0.0.1`, or accept it here once a firewall or a network policy lets only operators in",
        find=network.admin_that_others_reach,
    ),
    AuditRule(
        number="SGA11",
        title="trusted proxies that anybody can be",
        why="Any client in such a network chooses the address and the scheme that shards, logs and bounds per client"
        " see, and its priority class where a header field says it.",
        cure="name the addresses of your proxies alone",
        find=network.proxies_that_anybody_can_be,
    ),
    AuditRule(
        number="SGA12",
        title="a shard on another machine without TLS",
        why="Requests travel with the credentials of clients, and whoever is on the way can read and change them.",
        cure="serve the shard by `https://` and name its `ca`; or accept it where a mesh or a private network encrypts",
        find=network.shards_in_the_clear,
    ),
    AuditRule(
        number="SGA13",
        title="clients of other machines without TLS",
        why="Tokens and replies travel in the clear.",
        cure="add `tls: {certificate: …, key: …}`, or put a proxy that ends TLS in front and name it in"
        " `trusted_proxies`",
        find=network.clients_in_the_clear,
    ),
    AuditRule(
        number="SGA14",
        title="trailer fields that pass",
        why="Some applications take a trailer for a header field. A client then sets fields that the gateway, or a"
        " proxy in front, checked before.",
        cure="leave `request_trailers` out, unless the application needs trailers and keeps them apart from its"
        " header fields",
        find=network.trailers_that_pass,
    ),
    AuditRule(
        number="SGA20",
        title="journaled changes without any client authentication",
        why="Each such request is written to the disk, synchronously, before the application can refuse it. Anybody"
        " can fill the journal.",
        cure="verify tokens with `clients: {jwt: …}`, or clients' certificates with `tls: {client_ca: …}`",
        find=clients.changes_of_anybody,
    ),
    AuditRule(
        number="SGA21",
        title="a quota that ends where a token is left out",
        why="With `unverified: pass`, a request without a good token goes on uncounted.",
        cure="write `unverified: refuse`, and name the operations that need no token in `open`",
        find=clients.quotas_without_tokens,
    ),
    AuditRule(
        number="SGA22",
        title="tokens for other applications are accepted",
        why="An issuer signs tokens for many applications with one key. Without `audience`, a token that a client gave"
        " to another one is accepted here (RFC 8725 section 3.9).",
        cure="name `issuer` and `audience` in `clients.jwt`",
        find=clients.tokens_for_others,
    ),
    AuditRule(
        number="SGA23",
        title="idempotency keys that all clients share",
        why="A client that sends another one's key gets the other one's reply.",
        cure="name in `idempotency.client` what tells clients apart, such as `claim.sub` or `Authorization`",
        find=clients.replies_for_everybody,
    ),
    AuditRule(
        number="SGA24",
        title="a claim that the request may override",
        why="A claim that is meant to bind a client to its tenant counts only where the request names no key: the"
        " client names any tenant, unless the application checks it.",
        cure="name the claim in `clients.binding`, or let the rule's `key` be the claim alone",
        find=clients.claims_that_the_request_overrides,
    ),
    AuditRule(
        number="SGA25",
        title="a priority class that every client may choose",
        why="With `header_from: anyone`, by a field that is each client's own such as `User-Agent`, or from a network"
        " of `trusted_proxies` in which clients are, too (`10.0.0.0/8`), a client that wants to be refused last sends"
        " the header field. Then the class is everybody's, and no use to those who need it.",
        cure="let a trusted proxy set a field on every request, in place of what its client sent; name the proxies'"
        " own addresses, or the subnet that they have alone (`/24` or less, `/64` with IPv6), in `trusted_proxies`, and"
        " leave `header_from` out; or use a `claim`; or accept it where only your own programs can reach the gateway",
        find=clients.classes_that_clients_choose,
    ),
    AuditRule(
        number="SGA30",
        title="queries in the access log",
        why="Searches, names and addresses of persons stand in queries. The values of parameters that look like secrets"
        " are masked; others are not.",
        cure="leave `query` out, or name further parameters in `access_log.mask` and keep the log as personal data",
        find=clients.queries_in_the_log,
    ),
    AuditRule(
        number="SGA31",
        title="an access log that everybody may read",
        why="It has the addresses of clients, and which paths they asked for.",
        cure="`chmod 640 FILE`, and in `logrotate` the line `create 640`",
        find=files.logs_that_others_may_read,
    ),
    AuditRule(
        number="SGA40",
        title="probes of very many items",
        why="Each item whose shard is not known costs one call to every shard.",
        cure="add `bulk` to the probe, let the rule say `items_max: 1000` or less, or find the shard by a directory, a"
        " hash or a prefix",
        find=work.probes_of_many_items,
    ),
    AuditRule(
        number="SGA41",
        title="limits that bound nothing",
        why="A worker that may hold more than the machine has is ended by the system, with all of its requests.",
        cure="take smaller limits, and see docs/reference/limits.md for what each counts",
        find=work.limits_that_bound_nothing,
    ),
    AuditRule(
        number="SGA42",
        title="timeouts of many minutes",
        why="A client or a shard that sends nothing keeps a connection, and what is held for it, for so long.",
        cure="take shorter timeouts; downloads and event streams have timeouts of their own",
        find=work.patience_without_end,
    ),
    AuditRule(
        number="SGA43",
        title="a refusal that is read as something else",
        why="401, 403, 407 and 429 say nothing about the data. Read as `not_here`, the request goes on to another"
        " shard; read as `already`, a change that was not made counts as made.",
        cure="leave these statuses out",
        find=work.refusals_that_mean_not_here,
    ),
    AuditRule(
        number="SGA44",
        title="cursors that live for months",
        why="A cursor shows the sort keys of one row to whoever has it, and works until it expires.",
        cure="leave `lifetime_s` out: a day is enough to page through a list",
        find=work.cursors_for_ever,
    ),
    AuditRule(
        number="SGA45",
        title="lists that may lack rows without a word in their body",
        why="A client that does not look at the field `Shardgate-Partial` takes the list for whole while a shard is"
        " down, and deletes, reorders or reports by it.",
        cure="name a `member` in `missing`, or let clients ask for it: `missing: {answer: strict, clients: [partial]}`",
        find=work.lists_that_lack_rows,
    ),
    AuditRule(
        number="SGA46",
        title="requests that wait longer than clients do",
        why="Clients give up after 6 to 10 s, and send the request again: the shard that is back gets what nobody waits"
        " for.",
        cure="let `failover.wait_s` be less than the shortest time that a client waits",
        find=work.waits_longer_than_clients,
    ),
)
"""Ordered by number."""
