"""Restarts of deployments: ordered in the request, whose user hears of refusals, and watched by a worker."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, Forbidden, ServiceError, UpstreamError
from momo.core.work import Heartbeat, run_work, sweep
from momo.system.models import Rollout
from notifications.events import ALERT_EVENT
from notifications.services.notify import notify

if TYPE_CHECKING:
    from momo.system.cluster import State

POLL = 2.0  # seconds between two looks at a deployment
Status = Rollout.Status


def restart_deployment(*, deployment: str, user: User | None) -> Rollout:
    """Order the restart of a deployment; a worker watches it from then on.

    Raises Forbidden for one that K8S_DEPLOYMENTS does not name, Conflict while its last restart goes on or something
    else changes it, NotFound, Unavailable without a cluster, and UpstreamError.
    """
    if deployment not in settings.K8S_DEPLOYMENTS:
        raise Forbidden(f"不能重新啟動 {deployment}；可以的是：{'、'.join(settings.K8S_DEPLOYMENTS)}")
    rollout = _create(deployment, user)
    ordered = run_work(Rollout.objects.all(), rollout.pk, attempt=_order_and_leave, end=_give_up)
    if ordered is None:
        raise UpstreamError("資料庫", "重新啟動可能已經開始，請看重新啟動的清單")
    ordered.enqueue()
    return ordered


def run_rollout(rollout_id: int) -> Rollout | None:
    """Watch a restart until it ends. Returns it as it ended; None as `run_work`."""
    return run_work(Rollout.objects.all(), rollout_id, attempt=_watch, end=_give_up)


def sweep_rollouts() -> None:
    """Release the restarts of silent workers, then enqueue those whose task was never sent, or is lost."""
    sweep(Rollout.objects.all(), end=_give_up)


def _create(deployment: str, user: User | None) -> Rollout:
    values = {"namespace": settings.K8S_NAMESPACE, "deployment": deployment}
    now = timezone.now()
    try:
        with transaction.atomic():
            # Its task counts as sent: no sweep takes the row before this request does.
            return Rollout.objects.create(**values, requested_by=user, started_at=now, heartbeat_at=now)
    except IntegrityError:
        running = Rollout.objects.filter(**values, status__in=Rollout.UNFINISHED).first()
        raise Conflict(f"{deployment} 的重新啟動 {running or ''} 還在進行，請等它結束") from None


def _order_and_leave(rollout: Rollout) -> None:
    try:
        state = _order(rollout)
    except ServiceError as refusal:
        rollout.finish(status=Status.FAILED, message=str(refusal), finished_at=timezone.now())
        raise
    rollout.give_back(message=state.text)


def _order(rollout: Rollout) -> State:
    # The maker's client takes 27 MB and 0.2 s, which processes without a restart save.
    from momo.system import cluster  # noqa: PLC0415

    if rollout.ordered_at is not None:
        return cluster.read(rollout.namespace, rollout.deployment)
    state = cluster.restart(rollout.namespace, rollout.deployment, at=rollout.started_at)
    rollout.ordered_at = timezone.now()
    rollout.beat(ordered_at=rollout.ordered_at)
    return state


def _watch(rollout: Rollout) -> None:
    deadline = rollout.started_at + timedelta(seconds=settings.ROLLOUT_TIMEOUT)
    with Heartbeat(rollout, seconds=settings.SYSTEM_HEARTBEAT_TIMEOUT / 4):
        while True:
            try:
                state = _order(rollout)
            except (UpstreamError, Conflict) as failure:
                # The cluster may be what is restarted: only time decides.
                text = str(failure)
            except ServiceError as failure:
                return _end(rollout, Status.FAILED, str(failure))
            else:
                if state.problem or state.ready:
                    return _end(rollout, Status.FAILED if state.problem else Status.DONE, state.text)
                text = state.text
            if timezone.now() >= deadline:
                return _end(rollout, Status.TIMED_OUT, f"{settings.ROLLOUT_TIMEOUT} 秒後還沒有就緒：{text}")
            rollout.beat(message=text)
            time.sleep(POLL)


def _give_up(rollout: Rollout, attempts: int) -> None:
    _end(rollout, Status.FAILED, f"試了 {attempts} 次都沒有看到結果，請看叢集裡的狀態")


@transaction.atomic
def _end(rollout: Rollout, status: Rollout.Status, message: str) -> None:
    done = status == Status.DONE
    title = f"{rollout.deployment} {'已重新啟動' if done else f'重新啟動{status.label}'}"
    variables = {"title": title, "message": message, "severity": "info" if done else "warning"}
    notify(ALERT_EVENT, key=f"rollout:{rollout.pk}", variables=variables)
    rollout.finish(status=status, message=message, finished_at=timezone.now())
