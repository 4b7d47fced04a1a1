"""A stand-in for the API server of Kubernetes over real HTTP: GET and PATCH of deployments, and their roll-out.

It follows the API reference of apps/v1 and knows nothing of our client; the maker's own client works against it. After
a change each GET shows one pod further.

    with Kubernetes() as cluster:
        cluster.add("momo-app", replicas=3)
        settings.K8S_CONFIG_FILE = str(cluster.config(tmp_path))
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from momo.local.http import Answer, HttpStandIn, Request, json_answer

TOKEN = "cluster-token"
NAMESPACE = "momo"
_PATCHES = ("application/strategic-merge-patch+json", "application/merge-patch+json")


def failure(code: int, reason: str, message: str = "") -> Answer:
    """The `Status` with which the API server refuses."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    return json_answer({**status, "message": message or reason}, code)


class Kubernetes(HttpStandIn):
    """`answers` are given first, one a request, in the place of what the cluster would say."""

    def __init__(self) -> None:
        super().__init__()
        self.deployments: dict[str, dict[str, Any]] = {}
        self.answers: list[Answer] = []
        self.restarts: list[tuple[str, str]] = []  # name, time
        self.stuck = False  # whether no pod becomes ready

    def add(self, name: str, *, replicas: int = 3, **spec: Any) -> None:
        """A deployment whose pods are all ready."""
        pods = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}
        self.deployments[name] = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": NAMESPACE, "generation": 1},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}},
                **spec,
            },
            "status": {**pods, "observedGeneration": 1, "conditions": []},
        }

    def config(self, folder: Path) -> Path:
        """A kubeconfig that leads here."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": {"server": self.url}}],
            "users": [{"name": "test", "user": {"token": TOKEN}}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(content))  # YAML, too
        return path

    def respond(self, request: Request) -> Answer:
        if self.answers:
            return self.answers.pop(0)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return failure(401, "Unauthorized")
        *place, name = request.parts
        if place != ["apis", "apps", "v1", "namespaces", NAMESPACE, "deployments"] or name not in self.deployments:
            return failure(404, "NotFound", f'deployments.apps "{name}" not found')
        deployment = self.deployments[name]
        with self.lock:
            if request.method == "PATCH":
                if request.headers.get("content-type") not in _PATCHES:
                    return failure(415, "UnsupportedMediaType")
                self._patch(name, deployment, request.json)
            else:
                self._proceed(deployment)
            return json_answer(deployment)

    def _patch(self, name: str, deployment: dict[str, Any], body: dict[str, Any]) -> None:
        annotations = body["spec"]["template"]["metadata"]["annotations"]
        known = deployment["spec"]["template"]["metadata"].setdefault("annotations", {})
        if known.items() >= annotations.items():
            return
        known.update(annotations)
        self.restarts.append((name, annotations["kubectl.kubernetes.io/restartedAt"]))
        deployment["metadata"]["generation"] += 1

    def _proceed(self, deployment: dict[str, Any]) -> None:
        """First the change is observed, then one old pod after another is replaced by a new one."""
        status, generation = deployment["status"], deployment["metadata"]["generation"]
        wanted = deployment["spec"]["replicas"]
        if status["observedGeneration"] < generation:
            status.update(observedGeneration=generation, updatedReplicas=0, replicas=wanted)
        elif status["updatedReplicas"] < wanted and not self.stuck:
            status["updatedReplicas"] += 1
