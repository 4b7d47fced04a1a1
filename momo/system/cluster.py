"""Deployments of a Kubernetes cluster, through the maker's client: order a restart, and see how far it is.

Every request has K8S_TIMEOUT seconds and no second try; each failure becomes one of our errors, which says what to do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from django.conf import settings
from kubernetes import client, config
from urllib3.exceptions import HTTPError

from momo.core.errors import Conflict, NotFound, ServiceError, Unavailable, UpstreamError

SERVICE = "Kubernetes"
ANNOTATION = "kubectl.kubernetes.io/restartedAt"
NO_CLUSTER = "這裡不在叢集裡，也沒有可用的 kubeconfig（K8S_CONFIG_FILE）"
REFUSED = "叢集不接受我們的服務帳號，請管理員檢查它的權限（apps/deployments 的 get 與 patch）"
UNREACHABLE = "連不上或等不到回答，要求可能已經收到；請稍後看部署的狀態"


@dataclass(frozen=True)
class State:
    """How far a deployment is with its last change, in pods; `problem` is why it will not get further."""

    wanted: int
    updated: int
    available: int
    ready: bool
    problem: str = ""

    @property
    def text(self) -> str:
        """For users."""
        return self.problem or f"{self.wanted} 個 pod，{self.updated} 個已更新，{self.available} 個可用"


def restart(namespace: str, deployment: str, *, at: dt.datetime) -> State:
    """Restart the pods of a deployment one after another; a restart with the same `at` changes nothing.

    Raises NotFound, Conflict, Unavailable without a cluster, and UpstreamError.
    """
    annotations = {ANNOTATION: at.isoformat(timespec="seconds")}
    body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    return _ask(deployment, lambda api, **given: api.patch_namespaced_deployment(deployment, namespace, body, **given))


def read(namespace: str, deployment: str) -> State:
    """The state of a deployment. Raises as `restart` does."""
    return _ask(deployment, lambda api, **given: api.read_namespaced_deployment(deployment, namespace, **given))


def _ask(deployment: str, call: Callable[..., Any]) -> State:
    with client.ApiClient(_configuration()) as connection:
        try:
            return _state(call(client.AppsV1Api(connection), _request_timeout=settings.K8S_TIMEOUT))
        except client.ApiException as error:
            raise _refusal(error, deployment) from error
        except HTTPError as error:
            raise UpstreamError(SERVICE, UNREACHABLE) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise UpstreamError(SERVICE, "它的回答不是一個部署，請檢查叢集的網址") from error


def _configuration() -> Any:
    """That of the pod's service account, else that of kubectl. Raises Unavailable."""
    found = client.Configuration()
    try:
        try:
            config.load_incluster_config(client_configuration=found)
        except config.ConfigException:
            config.load_kube_config(config_file=settings.K8S_CONFIG_FILE or None, client_configuration=found)
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, AttributeError) as error:
        raise Unavailable(f"{SERVICE} ", NO_CLUSTER) from error
    found.retries = 0
    found.client_side_validation = False  # of answers: what we read of them is checked here
    return found


def _refusal(error: Any, deployment: str) -> ServiceError:
    """Our error for the status that the cluster answered with; 0 is a failure of TLS."""
    if error.status in (401, 403):
        return UpstreamError(SERVICE, REFUSED)
    if error.status == 404:
        return NotFound(f"叢集裡沒有部署 {deployment}，請檢查它的名稱與命名空間（K8S_NAMESPACE）")
    if error.status == 409:
        return Conflict(f"部署 {deployment} 同時有別的變更，請再試一次")
    if error.status == 0:
        return UpstreamError(SERVICE, "它的憑證有問題，請管理員檢查")
    return UpstreamError(SERVICE, f"它回答 HTTP {error.status}，請稍後再試")


def _state(deployment: Any) -> State:
    """Ready as for `kubectl rollout status`: the change is observed, all pods are new and available, none is old."""
    spec, status = deployment.spec, deployment.status
    wanted = 1 if spec.replicas is None else spec.replicas
    updated, available = status.updated_replicas or 0, status.available_replicas or 0
    observed = (status.observed_generation or 0) >= deployment.metadata.generation
    none_old = (status.replicas or updated) == updated
    return State(
        wanted=wanted,
        updated=updated,
        available=available,
        ready=observed and none_old and updated == available == wanted,
        problem=_problem(spec, status) if observed else "",
    )


def _problem(spec: Any, status: Any) -> str:
    if spec.paused:
        return "部署是暫停的（paused），不會更新"
    for condition in status.conditions or ():
        if condition.type == "Progressing" and condition.reason == "ProgressDeadlineExceeded":
            return f"叢集放棄了：{(condition.message or condition.reason)[:300]}"
    return ""
