"""Admin page of restarts of deployments."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import BAD, GOOD, INFO, choice_badge, column, nowrap, took, when
from momo.admin.kit.tables import ReadOnlyAdmin
from momo.system.models import Rollout
from momo.system.services.rollouts import restart_deployment

Status = Rollout.Status


class RestartForm(BaseDialogForm):
    """Which deployment to restart."""

    deployment = forms.ChoiceField(
        label="部署",
        choices=lambda: [(name, name) for name in settings.K8S_DEPLOYMENTS],
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(Rollout)
class RolloutAdmin(ReadOnlyAdmin):
    """Restarts of deployments: which, by which user, and how they ended."""

    list_display = ("number", "deployment", "state", "message", "who", "started", "length")
    list_display_links = ("number", "deployment")
    list_select_related = ("requested_by",)
    list_filter = (("status", ChoicesDropdownFilter),)
    sortable_by = ()
    ordering = ("-id",)
    fields = ("deployment", "namespace", "state", "message", "who", "started", "ordered", "finished", "length")
    actions_list = ("restart",)

    number = column("編號", "#{0.pk}".format)
    state = column(
        "狀態",
        choice_badge({Status.RUNNING: INFO, Status.DONE: GOOD, Status.FAILED: BAD, Status.TIMED_OUT: BAD}),
    )
    who = column("執行者", lambda rollout: nowrap(rollout.requested_by or "系統"))
    started = column("開始時間", when, of="started_at")
    ordered = column("叢集接受", when, of="ordered_at")
    finished = column("結束時間", when, of="finished_at")
    length = column("歷時", lambda rollout: nowrap(took(rollout.started_at, rollout.finished_at)))

    def has_restart_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("system.add_rollout")

    @dialog_action(
        "重新啟動部署",
        "restart_alt",
        variant=ActionVariant.PRIMARY,
        permission="restart",
        dialog=confirm_dialog(
            "重新啟動部署",
            "Kubernetes 會逐一換掉部署的 pod，進行中的工作會做完或由別的程式接手。",
            yes="重新啟動",
            form_class=RestartForm,
        ),
    )
    def restart(self, request: HttpRequest, form: Any) -> str:
        rollout = restart_deployment(deployment=form.cleaned_data["deployment"], user=cast(User, request.user))
        return f"已開始重新啟動 {rollout.deployment}"
