"""Manifests, compose file, workflows and image name what there is, and are what Kubernetes and the others read."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.steps import SYSTEM, TREE, Stage, instructions
from momo.celery import queues
from tests.contract.test_readme import described_in_the_readme

K8S = TREE / "deploy" / "k8s"
VERSION = "1.33"
# Kinds that are no part of Kubernetes: kustomize reads the first two itself, prometheus-operator brings the last.
OTHERS = {"Kustomization", "Component", "ServiceMonitor"}
APPLIED = ("production", "migrate")
QUEUES = {*queues(), "bot"}
# Of other programs: of gunicorn, matplotlib, Python, Django, and the shell's own.
FOREIGN = {"WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "MPLCONFIGDIR", "PYTHONUNBUFFERED", "DJANGO_SETTINGS_MODULE", "PATH"}

Document = dict[str, Any]


def load(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@cache
def manifests() -> list[Document]:
    """Every object, as it stands in its file: overlays change only namespace, labels, image and replicas."""
    return [document for path in sorted(K8S.rglob("*.yaml")) for document in load(path)]


def of_kind(kind: str) -> dict[str, Document]:
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


def pods() -> Iterator[tuple[str, Document]]:
    for kind in ("Deployment", "Job"):
        for name, one in of_kind(kind).items():
            yield name, one["spec"]["template"]


def compose() -> Document:
    (read,) = load(TREE / "compose.yaml")
    return read


def consumed(command: list[str]) -> list[str]:
    return command[command.index("--queues") + 1].split(",") if "--queues" in command else []


def dockerfile() -> list[tuple[str, str]]:
    return list(instructions((TREE / "Dockerfile").read_text()))


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def test_kubernetes_knows_every_field() -> None:
    for one in manifests():
        if one["kind"] not in OTHERS:
            kubernetes_validate.validate(one, VERSION, strict=True)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl, which brings kustomize")
@pytest.mark.parametrize("overlay", APPLIED)
def test_what_is_applied_can_be_rendered(overlay: str) -> None:
    command = ["kubectl", "kustomize", str(K8S / overlay)]
    rendered = list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    for one in rendered:
        kubernetes_validate.validate(one, VERSION, strict=True)
        assert one["kind"] in {"Namespace"} or one["metadata"]["namespace"] == "momo"
    for one in (one for one in rendered if one["kind"] in {"Deployment", "Job"}):
        template = one["spec"]["template"]
        # What the network policy goes by.
        assert template["metadata"]["labels"]["app.kubernetes.io/part-of"] == "momo"
        assert template["spec"]["containers"][0]["image"].startswith("registry.wooo.work/momo-pro:")


def test_kustomizations_name_files_that_exist() -> None:
    for path in K8S.rglob("kustomization.yaml"):
        (read,) = load(path)
        names = [*read.get("resources", []), *read.get("components", [])]
        assert names
        assert [name for name in names if not (path.parent / name).exists()] == []


def test_pods_have_no_rights_and_write_into_volumes_only() -> None:
    for name, template in pods():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name
            mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
            assert mounted["tmp"] == "/tmp", name
            assert set(mounted) == {volume["name"] for volume in spec["volumes"]}, name


def test_names_that_objects_have_of_each_other() -> None:
    deployments = of_kind("Deployment")
    for name, one in deployments.items():
        assert one["spec"]["selector"]["matchLabels"].items() <= one["spec"]["template"]["metadata"]["labels"].items()
        account = one["spec"]["template"]["spec"]["serviceAccountName"]
        assert account in of_kind("ServiceAccount"), name
    (rule,) = of_kind("Role")["momo-restarts"]["rules"]
    assert (set(rule["resourceNames"]), rule["verbs"]) == (set(deployments), ["get", "patch"])
    assert (rule["apiGroups"], rule["resources"]) == (["apps"], ["deployments"])
    label = deployments["momo-app"]["spec"]["template"]["metadata"]["labels"]
    for kind, at in (("Service", "selector"), ("PodDisruptionBudget", "selector")):
        selector = of_kind(kind)["momo-app"]["spec"][at]
        assert selector.get("matchLabels", selector) == label
    assert of_kind("HorizontalPodAutoscaler")["momo-app"]["spec"]["scaleTargetRef"]["name"] == "momo-app"
    monitored = of_kind("ServiceMonitor")["momo"]["spec"]
    assert monitored["selector"]["matchLabels"] == of_kind("Service")["momo-app"]["metadata"]["labels"]
    assert monitored["endpoints"][0]["port"] == of_kind("Service")["momo-app"]["spec"]["ports"][0]["name"]


def test_probes_and_times_to_stop() -> None:
    spec = of_kind("Deployment")["momo-app"]["spec"]["template"]["spec"]
    (web,) = spec["containers"]
    assert [web[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")] == [
        "/health", "/health", "/health?ready=1"
    ]  # fmt: skip
    graceful = int(re.findall(r"^graceful_timeout = (\d+)$", (TREE / "gunicorn.conf.py").read_text(), re.MULTILINE)[0])
    services = compose()["services"]
    assert spec["terminationGracePeriodSeconds"] >= 5 + graceful + 5
    assert int(services["web"]["stop_grace_period"].removesuffix("s")) >= graceful + 5
    stop = int(re.findall(r'"WORKER_STOP_SECONDS", default=(\d+)', (TREE / "momo/settings.py").read_text())[0])
    for name, template in pods():
        if "worker" in name:
            assert template["spec"]["terminationGracePeriodSeconds"] >= stop + 15
            assert int(services[name.removeprefix("momo-")]["stop_grace_period"].removesuffix("s")) >= stop + 15
    beat = of_kind("Deployment")["momo-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


def test_each_queue_has_one_kind_of_worker() -> None:
    commands = [template["spec"]["containers"][0].get("command", []) for _, template in pods()]
    assert sorted(queue for command in commands for queue in consumed(command)) == sorted(QUEUES)
    services = compose()["services"].values()
    assert sorted(queue for one in services for queue in consumed(one.get("command", []))) == sorted(QUEUES)


# --- Compose, image, workflows ----------------------------------------------------------------------------------------


def test_compose_names_what_it_has() -> None:
    read = compose()
    services = read["services"]
    for name, one in services.items():
        needed = one.get("depends_on", {})
        assert set(needed) <= set(services), name
        for other, how in needed.items():
            assert how["condition"] == "service_completed_successfully" or "healthcheck" in services[other], name
        named = [volume.split(":")[0] for volume in one.get("volumes", [])]
        assert {volume for volume in named if volume[0].isalpha()} <= set(read["volumes"]), name
        if one["image"].startswith("momo-pro"):
            assert one["read_only"] is True, name
            assert (one["cap_drop"], one["env_file"]) == (["ALL"], ".env"), name
    (server,) = load(TREE / "compose.server.yaml")
    ours = {name for name, one in services.items() if one["image"].startswith("momo-pro")}
    assert set(server["services"]) == ours
    # What the image's pg_dump can read.
    assert services["postgres"]["image"] == "postgres:15-bookworm"
    assert dict(dockerfile())["FROM"] == "system AS run"
    assert dockerfile()[0] == ("FROM", "python:3.11-slim-bookworm AS system")


def test_settings_that_files_of_the_deployment_give_are_read() -> None:
    given = set(of_kind("ConfigMap")["momo"]["data"])
    for _, template in pods():
        given |= {one["name"] for container in template["spec"]["containers"] for one in container.get("env", [])}
    for one in compose()["services"].values():
        given |= set(one["environment"] if one["image"].startswith("momo-pro") else ())
    for word, rest in dockerfile():
        given |= {part.split("=")[0] for part in re.findall(r"(\w+=)", rest)} if word == "ENV" else set()
    read = set(described_in_the_readme()) | FOREIGN
    assert {name for name in given if not name.startswith("PIP_") and name not in {"bind", "threads"}} <= read


def test_the_image_has_every_app_and_only_steps_that_run_without_a_builder(tmp_path: Path) -> None:
    copied = re.findall(r"^!([^/\n]+)", (TREE / ".dockerignore").read_text(), flags=re.MULTILINE)
    packages = tomllib.loads((TREE / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    assert set(packages) <= set(copied)
    assert [name for name in copied if not (TREE / name).exists()] == []
    stage, name = Stage(tmp_path), SYSTEM
    for word, rest in dockerfile():
        name = rest.rpartition(" AS ")[2] if word == "FROM" else name
        if name != SYSTEM and word not in {"FROM", "RUN", "COPY"}:
            stage.do(word, rest)
    assert stage.command == ["gunicorn", "momo.wsgi"]
    assert stage.user == "10001:10001"
    assert stage.env["PATH"].startswith(f"{tmp_path}/venv/bin:")


def test_workflows_run_what_there_is() -> None:
    for path in sorted((TREE / ".gitea" / "workflows").glob("*.yaml")):
        (read,) = load(path)
        # YAML 1.1 reads the key `on` as true.
        assert set(read) - {"concurrency"} == {"name", True, "jobs"}
        for job in read["jobs"].values():
            assert job["runs-on"]
            assert job["timeout-minutes"]
            assert all(("uses" in step) != ("run" in step) for step in job["steps"])
            runs = " ".join(step.get("run", "") for step in job["steps"])
            for program in re.findall(r"(?:^|\s)((?:\.ci|deploy)/[\w-]+)", runs):
                assert (TREE / program).stat().st_mode & 0o100, program
            targets = (TREE / "Makefile").read_text()
            assert all(f"\n{target}:" in targets for target in re.findall(r"make ([\w-]+)", runs))
