"""Documents as generators write them: what is in them is served, or is a mistake with its file and its line."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import load
from tests.config.test_load import mistakes

BESIDE = "shards: {north: http://a}\nopenapi: api.yaml\n"
ANY = {"get": {"x-shardgate": {"rule": "any"}}}


def names(folder: Path, document: Any, more: str = "", **files: str) -> list[str]:
    """The operations that a document gives."""
    text = document if isinstance(document, str) else yaml.safe_dump(document, allow_unicode=True)
    assert mistakes(folder, BESIDE + more, api__yaml=text, **files) == []
    return [route.name for route in load(folder / "shardgate.yaml").routes.routes]


def wrong(folder: Path, document: str, more: str = "") -> str:
    return "\n".join(mistakes(folder, BESIDE + more, api__yaml=document))


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"swagger": "2.0", "basePath": "/v3", "paths": {"/a": ANY}}, "GET /v3/a"),
        ({"swagger": "2.0", "basePath": "/", "host": "x", "paths": {"/a": ANY}}, "GET /a"),
        ({"swagger": "2.0", "basePath": "v3/", "paths": {"/": ANY}}, "GET /v3/"),
        ({"swagger": "2.0", "paths": {"/a": ANY}}, "GET /a"),
        ({"openapi": "3.0.1", "servers": [{"url": "/v3"}], "paths": {"/a": ANY}}, "GET /v3/a"),
        ({"servers": [{"url": "http://localhost:8080", "description": "Generated"}], "paths": {"/a": ANY}}, "GET /a"),
        ({"servers": [{"url": "https://{r}.example.com/api/"}], "paths": {"/a": ANY}}, "GET /api/a"),
        ({"servers": [{"url": "https://a/v3"}, {"url": "https://b/v3/"}], "paths": {"/a": ANY}}, "GET /v3/a"),
        ({"servers": [{"url": "./v3"}], "paths": {"/a": ANY}}, "GET /v3/a"),
        ({"servers": [{"url": "//h:1/v3?x#y"}], "paths": {"/a": ANY}}, "GET /v3/a"),
        ({"servers": [{"url": "/{v}", "variables": {"v": {"default": "v2"}}}], "paths": {"/a": ANY}}, "GET /v2/a"),
        (
            {"servers": [{"url": "/{v}", "variables": {"v": {"default": "", "enum": [""]}}}], "paths": {"/a": ANY}},
            "GET /a",
        ),
        ({"servers": [], "paths": {"/a": ANY}}, "GET /a"),
        ({"servers": [{"url": "/v3"}], "paths": {"/a": {**ANY, "servers": [{"url": "/v4"}]}}}, "GET /v4/a"),
        (
            {"paths": {"/a": {"servers": [{"url": "/x"}], "get": {**ANY["get"], "servers": [{"url": "https://u/y"}]}}}},
            "GET /y/a",
        ),
        (
            {
                "paths": {
                    "/f/{p}": {
                        "get": {**ANY["get"], "parameters": [{"name": "p", "in": "path", "schema": {"format": "path"}}]}
                    }
                }
            },
            "GET /f/**",
        ),
        (
            {
                "swagger": "2.0",
                "paths": {"/f/{p}": {**ANY, "parameters": [{"$ref": "#/parameters/p"}]}},
                "parameters": {"p": {"name": "p", "in": "path", "format": "path"}},
            },
            "GET /f/**",
        ),
        *(
            ({"paths": {f"/f/{last}": ANY}}, "GET /f/**")
            for last in ("{p:path}", "{*p}", "{**p}", "{p*}", "{+p}", "{p...}", "{p:.*}")
        ),
        ({"paths": {"/f/{id:int}/{x:[0-9]+}": ANY}}, "GET /f/{id}/{x}"),
        ({"paths": {"/f/{name}:cancel": ANY}}, "GET /f/{name}:cancel"),
        ({"paths": {"/f/{id}.{format}": ANY}}, "GET /f/{id}.{format}"),
        ({"paths": {"/straße": ANY}}, "GET /straße"),
        ({"paths": {"x-note": "later", "x-list": [1], "/a": ANY, "x-null": None}}, "GET /a"),
        ({"paths": {"/a": {**ANY, "x-gateway": {"get": {}}, "summary": "s", "parameters": []}, "/b": None}}, "GET /a"),
    ],
)
def test_r2_the_path_of_an_operation_is_what_clients_ask_for(tmp_path: Path, document: Any, name: str) -> None:
    assert names(tmp_path, document) == [name]


@pytest.mark.parametrize("given", ["/v9", "/v9/", "''"])
def test_r2_the_configuration_may_say_the_base_path(tmp_path: Path, given: str) -> None:
    document = {"servers": [{"url": "/v3"}, {"url": "/"}], "paths": {"/a": {**ANY, "servers": [{"url": "/v4"}]}}}
    assert names(tmp_path, document, f"openapi_base: {given}\n") == ["GET /a" if given == "''" else "GET /v9/a"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            "servers:\n- url: /v3\n- url: /\npaths: {/a: {}}",
            "api.yaml:1: servers: the servers have different paths: '/v3' and '/' → write `openapi_base`",
        ),
        ("paths:\n  /a:\n    servers: [{url: ../v3}]\n    get: {}", "api.yaml:3: paths./a.servers: the path of"),
        (
            "servers: [{url: '/{v}', variables: {v: {enum: [a, b]}}}]\npaths: {/a: {}}",
            "api.yaml:1: servers: the servers have different paths: '/a' and '/b'",
        ),
        (
            "paths:\n  /a:\n    GET: {}",
            "api.yaml:3: paths./a.GET: 'GET' is no method of a document → write it in small",
        ),
        ("servers: /v3\npaths: {/a: {}}", "api.yaml:1: servers: expected a list, got text"),
        ("swagger: '2.0'\nbasePath: 3\npaths: {/a: {}}", "api.yaml:2: basePath: expected text"),
        ("paths:\n  a: {get: {}}", "api.yaml:2: paths.a: 'a' is no path → begin it with `/`"),
        ("paths:\n  /a:\n    get: 7", "api.yaml:3: paths./a.get: expected a mapping, got a whole number"),
        ("paths:\n  /a:\n    $ref: other.yaml", "api.yaml:3: paths./a.$ref:"),
        (
            "paths:\n  /a:\n    $ref: https://h/x.yaml",
            "api.yaml:3: paths./a.$ref: 'https://h/x.yaml' is a URL, and nothing",
        ),
        ("paths:\n  /a:\n    $ref: //h/x.yaml", "api.yaml:3: paths./a.$ref: '//h/x.yaml' is a URL"),
        ("paths:\n  /a:\n    $ref: file:///etc/passwd", "api.yaml:3: paths./a.$ref: 'file:///etc/passwd' is a URL"),
        ("paths:\n  /a:\n    $ref: ../x.yaml", "api.yaml:3: paths./a.$ref: '../x.yaml' is outside"),
        ("paths:\n  /a:\n    $ref: x/%2E%2E/../x.yaml", "api.yaml:3: paths./a.$ref: 'x/%2E%2E/../x.yaml' is outside"),
        ("paths:\n  /a:\n    $ref: /etc/passwd", "api.yaml:3: paths./a.$ref: '/etc/passwd' is outside"),
        ("paths:\n  /a:\n    $ref: 7", "api.yaml:3: paths./a.$ref: it is no reference"),
        ("paths:\n  /a:\n    $ref: '#/none'", "api.yaml:3: paths./a.$ref: '#/none' leads to nothing"),
        ("paths:\n  /a:\n    $ref: '#none'", "api.yaml:3: paths./a.$ref: '#none' is no place in a document"),
        ("paths:\n  /a:\n    $ref: '#/paths/~1a'", "api.yaml:3: paths./a.$ref: '#/paths/~1a' leads back to itself"),
        (
            "paths:\n  /a:\n    $ref: '#/x'\nx: {$ref: '#/y'}\ny: {$ref: '#/x'}",
            "api.yaml:5: y.$ref: '#/x' leads back to itself",
        ),
        ("paths:\n  /a:\n    get: {}\n  /a:\n    post: {}", "2: openapi: "),
        ("servers: [{url: /v3}]\npaths: {/a: {get: {}}}", "rules.GET /v3/a: the operation has no rule"),
        ("openapi: 3.2.0\npaths: {/a: {query: {}}}", "rules.QUERY /a: the operation has no rule"),
        ("openapi: 3.2.0\npaths: {/a: {additionalOperations: {LINK: {}}}}", "rules.LINK /a: the operation has no rule"),
        (
            "openapi: 3.2.0\npaths:\n  /a:\n    query: {x-shardgate: {rule: any}}",
            "api.yaml:4: paths./a.query.x-shardgate: 'QUERY' is not a method",
        ),
    ],
)
def test_r2_what_cannot_be_used_is_a_mistake_with_its_line(tmp_path: Path, document: str, said: str) -> None:
    assert said in wrong(tmp_path, document)


@pytest.mark.parametrize(
    "words",
    [
        "rules: {ANY /a: {rule: any}}\n",
        "rules: {ANY /**: {rule: any}}\n",
        "unserved: {QUERY /a: later, LINK /a: later}\n",
    ],
)
def test_r2_methods_that_no_rule_can_name_are_served_by_a_rule_for_any(tmp_path: Path, words: str) -> None:
    # Found: `check` said right, and clients got 405.
    document = {"openapi": "3.2.0", "paths": {"/a": {"query": {}, "additionalOperations": {"LINK": {}}}}}
    assert names(tmp_path, document, words)


def test_r2_a_rule_without_the_path_of_the_server_is_told_its_name(tmp_path: Path) -> None:
    said = wrong(tmp_path, "servers: [{url: /v3}]\npaths: {/a: {get: {}}}", "rules: {GET /a: {rule: any}}\n")
    assert "write `GET /v3/a` in place of `GET /a`" in said


@pytest.mark.parametrize("base", ["v3", "/a b?c", "/a//b", "/{x"])
def test_r2_a_base_path_that_is_none_is_a_mistake(tmp_path: Path, base: str) -> None:
    said = mistakes(
        tmp_path, f"{BESIDE}openapi_base: '{base}'\n", api__yaml="paths: {/a: {get: {x-shardgate: {rule: any}}}}"
    )
    assert said[0].startswith("3: openapi_base: ")


def test_r2_path_items_and_operations_may_stand_in_other_files(tmp_path: Path) -> None:
    (tmp_path / "paths/deep").mkdir(parents=True)
    (tmp_path / "paths/items.yaml").write_text("get: {$ref: deep/list.yaml}\npost:\n  x-shardgate: {rule: any}\n")
    (tmp_path / "paths/deep/list.yaml").write_text("operationId: list\nx-shardgate: {rule: any}\n")
    (tmp_path / "all.json").write_text(json.dumps({"/x y": [{"get": {}}, {"put": {"$ref": "paths/deep/list.yaml"}}]}))
    document = """
        paths:
          /items: {$ref: ./paths/items.yaml}
          /items/{id}:
            $ref: '#/components/pathItems/item'
            delete: {x-shardgate: {rule: any}}
          /other: {$ref: 'all.json#/~1x%20y/1'}
        components: {pathItems: {item: {get: {x-shardgate: {rule: any}}}}}
        """
    assert names(tmp_path, document) == [
        "GET /items",
        "POST /items",
        "GET /items/{id}",
        "DELETE /items/{id}",
        "PUT /other",
    ]


def test_r2_a_mistake_in_another_file_is_told_with_its_line_there(tmp_path: Path) -> None:
    (tmp_path / "items.yaml").write_text("summary: x\nget:\n  x-shardgate: {rule: one, key: path.id, locate: none}\n")
    found = mistakes(tmp_path, BESIDE, api__yaml="paths: {/items: {$ref: items.yaml}}")
    assert [line.partition(": ")[0] for line in found] == ["items.yaml:3", "items.yaml:3"]
    (tmp_path / "items.yaml").write_text("post: {x-shardgate: {rule: every, mode: eventual, repeat: true}}\n")
    (said,) = mistakes(tmp_path, BESIDE, api__yaml="paths: {/items: {$ref: items.yaml}}")
    assert said.startswith("items.yaml:1: post.x-shardgate: ")


def test_r2_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.yaml").write_text("get: {x-shardgate: {rule: any}}\n")
    (tmp_path / "inside/link.yaml").symlink_to(tmp_path / "secret.yaml")
    (tmp_path / "inside/api.yaml").write_text("paths: {/a: {$ref: link.yaml}}")
    (said,) = mistakes(tmp_path, BESIDE.replace("api.yaml", "inside/api.yaml"))
    assert "a link leads outside of the document's folder" in said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["api.json", "api.yaml", "api"])
def test_r2_json_may_have_a_byte_order_mark_and_tabs(tmp_path: Path, name: str, encoding: str) -> None:
    text = json.dumps({"paths": {"/é": ANY}}, ensure_ascii=False, indent="\t")
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert mistakes(tmp_path, BESIDE.replace("api.yaml", name)) == []
    wrong = text.replace('"any"', '"x"')
    (tmp_path / name).write_bytes(wrong.encode(encoding))
    (said,) = mistakes(tmp_path, BESIDE.replace("api.yaml", name))
    assert said.startswith(f"{name}:6: paths./é.get.x-shardgate.rule: unknown word 'x'")


def test_r2_a_name_that_stands_twice_in_json_is_told_with_its_line(tmp_path: Path) -> None:
    text = '{"paths": {\n\t"/a": {"get": {}},\n\t"/a": {"post": {}}}}'
    said = mistakes(tmp_path, BESIDE.replace("api.yaml", "api.json"), api__json=text)
    assert any("api.json:3: '/a' stands twice" in line for line in said), said


def test_r2_anchors_and_merge_keys_are_followed(tmp_path: Path) -> None:
    document = """
        x-any: &any {x-shardgate: {rule: any}}
        paths:
          /a: &a {get: *any}
          /b: {<<: *a, post: *any}
        """
    assert names(tmp_path, document) == ["GET /a", "GET /b", "POST /b"]


def test_r2_an_empty_document_gives_nothing_and_rules_stand_alone(tmp_path: Path) -> None:
    for document in ("paths: {}\nwebhooks: {new: {post: {}}}", "openapi: 3.1.0\nwebhooks: {new: {post: {}}}", "paths:"):
        assert names(tmp_path, document, "rules: {GET /a: {rule: any}}\n") == ["GET /a"]


def test_r2_two_paths_that_mean_one_operation_are_a_mistake(tmp_path: Path) -> None:
    document = "paths:\n  /f/{a:path}: {get: {}}\n  /f/{b*}: {get: {}}"
    said = mistakes(tmp_path, BESIDE + "rules: {GET /f/**: {rule: any}}\n", api__yaml=document)
    assert any("api.yaml:3: paths./f/{b*}.get: it is the same operation as another one" in line for line in said), said


def test_r2_a_path_of_the_shards_and_of_the_servers_is_not_asked_for_twice(tmp_path: Path) -> None:
    document = yaml.safe_dump({"servers": [{"url": "/v3"}], "paths": {"/a": ANY}})
    below = BESIDE.replace("http://a", "http://a/v3/")
    (said,) = mistakes(tmp_path, below, api__yaml=document)
    assert said.startswith("1: shards.north: its path /v3 is in the document's servers, too: GET /v3/a would be asked")
    assert mistakes(tmp_path, below + "openapi_base: ''\n", api__yaml=document) == []
    assert mistakes(tmp_path, BESIDE.replace("http://a", "http://a/app"), api__yaml=document) == []


def test_r2_aliases_within_aliases_are_not_written_out(tmp_path: Path) -> None:
    levels = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 10))
    said = mistakes(tmp_path, BESIDE, api__yaml=f"x0: &x0 [1]\n{levels}paths: {{/a: *x9}}\n")
    assert any("aliases stand for more than 1,000,000 values" in line for line in said), said
