"""The stand-in for AWS reads the provider's schema strictly, and says what is missing on this machine."""

import base64
import io
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tools.terraform.layout import CODE
from tools.terraform.needs import missing
from tools.terraform.schema import UnknownTypeError, schema, used_types
from tools.terraform.terraform import Terraform
from tools.terraform.typescript import Module
from tools.terraform.weaknesses import judged

QUEUE = """
export interface SqsQueueConfig extends cdktf.TerraformMetaArguments {
  /**
  * retry block
  */
  readonly retry?: SqsQueueRetry;
}
export class SqsQueueRetryOutputReference extends cdktf.ComplexObject {
  // attempts - computed: false, optional: false, required: true
  private _attempts?: number;
  public get attempts() {
    return this.getNumberAttribute('attempts');
  }
}
export class SqsQueue extends cdktf.TerraformResource {
  public static readonly tfResourceType = "aws_sqs_queue";
  // arn - computed: true, optional: false, required: false
  public get arn() {
    return this.getStringAttribute('arn');
  }
  // names - computed: false, optional: true, required: false
  private _names?: string[];
  public get names() {
    return cdktf.Fn.tolist(this.getListAttribute('names'));
  }
  // password - computed: false, optional: true, required: false
  private _password?: string;
  public get password() {
    return this.getStringAttribute('password');
  }
  // retry - computed: false, optional: true, required: false
  private _retry = new SqsQueueRetryOutputReference(this, "retry");
  public get retry() {
    return this._retry;
  }
}
"""


PROVIDER = """
export interface AwsProviderConfig {
  /**
  * The region. Docs at https://registry/providers/hashicorp/aws/6.25.0/docs#region AwsProvider#region}
  */
  readonly region?: string;
}
"""


def wheel(folder: Path, modules: dict[str, str]) -> Path:
    """A wheel as the generator packs it: modules with their source maps, in an archive, in an archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in modules.items():
            source_map = base64.b64encode(json.dumps({"sourcesContent": [text]}).encode()).decode()
            content = f"//# sourceMappingURL=data:application/json;base64,{source_map}\n".encode()
            entry = tarfile.TarInfo(f"package/lib/{name}/index.js")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    file = folder / "provider.whl"
    with zipfile.ZipFile(file, "w") as outer:
        outer.writestr("aws/_jsii/aws.jsii.tgz", packed.getvalue())
    return file


def test_a_resource_is_read_with_types_flags_and_blocks() -> None:
    retry = {"attrs": {"attempts": ["number", "r"]}, "blocks": {}}
    assert Module(QUEUE).schema() == {
        "attrs": {"arn": ["string", "c"], "names": [["set", "string"], "o"], "password": ["string", "os"]},
        "blocks": {"retry": ["single", 0, 0, retry]},
    }


def test_a_member_that_is_not_understood_is_an_error() -> None:
    changed = QUEUE.replace("public get arn()", "public  get arn()")
    with pytest.raises(ValueError, match="SqsQueue: 3 of 4 members understood"):
        Module(changed).schema()


def test_the_schema_has_the_types_that_are_used(tmp_path: Path) -> None:
    read = schema(wheel(tmp_path, {"sqs-queue": QUEUE, "provider": PROVIDER}), {"sqs-queue"})
    assert (read["version"], list(read["resources"]), read["data"]) == ("6.25.0", ["aws_sqs_queue"], {})
    assert read["provider"]["attrs"] == {"region": ["string", "o"]}


def test_a_type_that_the_provider_does_not_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownTypeError, match="the provider has no data-aws-moon"):
        schema(wheel(tmp_path, {"provider": PROVIDER}), {"data-aws-moon"})


def test_what_the_code_uses_is_found() -> None:
    assert {"ecs-service", "lb", "data-aws-region", "wafv2-web-acl"} <= used_types()


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"terraform": (1, 11), "go": (1, 24)}, []),
        ({"terraform": (2, 0), "go": (1, 26)}, []),
        ({"go": (1, 24)}, ["terraform is not here: install Terraform 1.11"]),
        ({"terraform": (1, 9), "go": (1, 23)}, ["terraform is 1.9: install", "go is 1.23: install Go 1.24"]),
    ],
)
def test_what_must_be_installed_is_said(versions: dict[str, tuple[int, int]], said: list[str]) -> None:
    lines = missing(versions.get)
    assert len(lines) == len(said)
    assert all(line.startswith(words) for line, words in zip(lines, said, strict=True))


FAILED = {"check_id": "CKV_AWS_1", "resource": "aws_lb.this", "check_name": "Be safe"}


def report(failed: list[Any], errors: int = 0) -> dict[str, Any]:
    summary = {"passed": 7, "failed": len(failed), "skipped": 2, "parsing_errors": errors}
    return {"summary": summary, "results": {"failed_checks": failed}}


def test_checkovs_report_is_read() -> None:
    assert judged(report([])) == (7, [], 2)
    assert judged(report([FAILED, FAILED])).failed == ["CKV_AWS_1 aws_lb.this: Be safe"]


@pytest.mark.parametrize("bad", [report([], errors=1), {"passed": 0}, []])
def test_code_that_checkov_could_not_read_is_no_pass(bad: Any) -> None:
    with pytest.raises(ValueError, match="could not read the code"):
        judged(bad)


needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not on the PATH: `make terraform-test` says what to install"
)


@needs_terraform
def test_the_code_is_formatted(tmp_path: Path) -> None:
    configuration = tmp_path / "terraform.rc"
    configuration.touch()
    assert Terraform(CODE, configuration).is_formatted(), "terraform fmt -recursive deploy/terraform"
    copy = tmp_path / "code"
    shutil.copytree(CODE / "modules" / "key", copy)
    main = copy / "main.tf"
    main.write_text(main.read_text().replace("  description ", " description ", 1))
    assert not Terraform(copy, configuration).is_formatted()


def test_a_machine_without_terraform_is_told_what_to_install() -> None:
    """`make terraform-test` ends there, and does not pass."""
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "tools.terraform", "--needs"],
        cwd=root,
        env={"PATH": str(root), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "terraform-test: terraform is not here: install Terraform 1.11" in ran.stderr
    assert "terraform-test: go is not here: install Go 1.24" in ran.stderr
