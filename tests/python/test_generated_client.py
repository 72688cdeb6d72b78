"""A client that openapi-python-client generates from the document: it is complete, and reads every answer."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Operations that the demo refuses, because it crawls no longer and has no users.
REFUSED = {
    "post-crawl-pause",
    "post-crawl-rank",
    "post-crawl-recrawl",
    "post-crawl-resume",
    "post-crawl-seeds",
    "post-crawl-blocks",
    "post-session",
}


@pytest.fixture(scope="module")
def generated(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    # Without the step that formats the files.
    settings = folder / "settings.yml"
    settings.write_text("post_hooks: []\n")
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--path",
        file,
        "--config",
        settings,
        "--meta",
        "none",
    ]
    ended = subprocess.run([*command, "--output-path", folder / "other_client"], capture_output=True, text=True)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0 and "arning" not in said and "rror" not in said, said
    return folder


def example_of(parameter: dict[str, Any]) -> Any:
    if "example" in parameter:
        return parameter["example"]
    examples = parameter.get("examples")
    assert examples, f"{parameter['name']} has an example"
    return next(iter(examples.values()))["value"]


def snake(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower()


def test_every_endpoint_can_be_called(
    demo: str, document: dict[str, Any], generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(generated)
    assert os.fspath(generated) in sys.path
    client = importlib.import_module("other_client").Client(base_url=demo)
    with client:
        failures = failures_of(client, document)
    assert not failures, "\n".join(failures)


def failures_of(client: Any, document: dict[str, Any]) -> list[str]:
    """Calls every operation; says which answers are wrong, or are not read as they are."""
    failures = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            module = importlib.import_module(f"other_client.api.{snake(operation['tags'][0])}.{snake(name)}")
            call = module.sync_detailed
            given: dict[str, Any] = {}
            for parameter in operation.get("parameters", []):
                if parameter.get("required"):
                    wanted = snake(parameter["name"])
                    argument = next(
                        key
                        for key in inspect.signature(call).parameters
                        if key.removesuffix("_query").rstrip("_") == wanted
                    )
                    given[argument] = example_of(parameter)
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None:
                kind = inspect.signature(call).parameters["body"].annotation
                # Generated files have their annotations as they are, or as texts.
                example = body.get("example")
                given["body"] = example if isinstance(example, list) else kind.from_dict(example)
            try:
                answer = call(client=client, **given)
            except Exception as error:  # noqa: BLE001
                failures.append(f"{method} {path}: {error!r}")
                continue
            status = int(answer.status_code)
            if name in REFUSED:
                assert status in (400, 401, 409), f"{name}: {status}"
            elif status not in (200, 202, 204):
                failures.append(f"{method} {path}: {status} {answer.content[:200]!r}")
            elif status != 204 and (answer.parsed is None or type(answer.parsed).__name__ == "Error"):
                failures.append(f"{method} {path}: its answer is not read")
            elif status != 204 and hasattr(answer.parsed, "to_dict"):
                same = json.loads(answer.content)
                if answer.parsed.to_dict() != same:
                    failures.append(f"{method} {path}: its answer is read as something else")
    return failures
