"""`make terraform-test`: everything that can be said of deploy/terraform without a cloud.

    python -m tools.terraform [--only NAME] [--needs]

It builds the stand-in for the AWS provider, and then, in a copy: format; for each module validate, its example, its
tests; for the account and for each environment validate, tests, plan, apply and a second plan; checkov.
The last line has the counts. The exit code is 1 if anything failed.
"""

import argparse
import shutil
import sys
from pathlib import Path

from tools.terraform.layout import CODE, ENVIRONMENTS, MADE, modules
from tools.terraform.needs import missing
from tools.terraform.stand_in import build
from tools.terraform.terraform import Terraform, TerraformError
from tools.terraform.weaknesses import exceptions, look

# The image that the pipeline would give.
_IMAGE = "image=123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate:1.0.0"
_ACCOUNT = ("-var=region=eu-west-1", "-var=repository=example/platform")


class Run:
    """One run, and what it counts."""

    def __init__(self, work: Path, configuration: Path) -> None:
        """`work`: a copy of the code, in which Terraform may write."""
        self._work = work
        self._configuration = configuration
        self.valid = self.passed = self.made = self.unchanged = 0
        self.failures: list[str] = []

    def formatted(self) -> None:
        """All files are written as `terraform fmt` writes them."""
        if not Terraform(self._work, self._configuration).is_formatted():
            self._fail("terraform fmt -recursive deploy/terraform", "files are not formatted")

    def module(self, name: str) -> None:
        """A module is valid, and so is its example; its tests pass."""
        before = self.passed
        self._try(f"modules/{name}", tests=((),))
        self._try(f"modules/{name}/examples/basic", tests=())
        print(f"terraform: module {name}: {self.passed - before} tests passed", flush=True)

    def account(self) -> None:
        """The account is made once, and then there is nothing to do."""
        self._try("roots/account", tests=((),))
        self._apply("account", "roots/account", *_ACCOUNT)

    def environment(self, name: str) -> None:
        """An environment is made once, and then there is nothing to do."""
        variables = f"-var-file=../../environments/{name}.tfvars"
        self._try("roots/environment", tests=((variables,),))
        self._apply(name, "roots/environment", variables, f"-var={_IMAGE}")

    def weak(self) -> str:
        """What checkov says, as a part of the last line."""
        found = look(CODE)
        for line in found.failed:
            self._fail("checkov", line)
        reasons = len(exceptions(CODE))
        return (
            f"checkov: {found.passed} passed, {len(found.failed)} failed, {found.skipped} skipped for {reasons} reasons"
        )

    def _try(self, folder: str, tests: tuple[tuple[str, ...], ...]) -> None:
        terraform = Terraform(self._work / folder, self._configuration)
        try:
            terraform.validate()
            self.valid += 1
            for options in tests:
                self.passed += terraform.test(*options)[0]
        except TerraformError as error:
            self._fail(folder, str(error))

    def _apply(self, name: str, folder: str, *options: str) -> None:
        try:
            made = Terraform(self._work / folder, self._configuration).apply_twice(*options)
        except TerraformError as error:
            self._fail(name, str(error))
            return
        self.made += made
        self.unchanged += 1
        print(f"terraform: {name}: {made} resources planned and applied; the second plan: No changes.", flush=True)

    def _fail(self, where: str, what: str) -> None:
        self.failures.append(where)
        print(f"terraform: FAILED: {where}: {what}", file=sys.stderr, flush=True)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=[*modules(), "account", *ENVIRONMENTS, "checkov"], help="one part alone")
    parser.add_argument("--needs", action="store_true", help="say what must be installed, and nothing else")
    options = parser.parse_args()
    if lines := missing():
        print("\n".join(f"terraform-test: {line}" for line in lines), file=sys.stderr)
        return 1
    if options.needs:
        return 0
    work = MADE / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(CODE, work, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    run = Run(work, build())
    run.formatted()
    for name in [each for each in modules() if options.only in {None, each}]:
        run.module(name)
    if options.only in {None, "account"}:
        run.account()
    for name in [each for each in ENVIRONMENTS if options.only in {None, each}]:
        run.environment(name)
    weak = run.weak() if options.only in {None, "checkov"} else "checkov: not asked"
    print(
        f"terraform: {run.valid} modules, examples and roots valid; {run.passed} tests passed; "
        f"{run.made} resources applied; {run.unchanged} second plans: No changes; {weak}; {len(run.failures)} failures"
    )
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
